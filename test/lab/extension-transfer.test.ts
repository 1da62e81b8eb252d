import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Call } from '../../src/calls/domain/call.js';
import {
  agrees,
  BACK,
  both,
  company,
  DONE,
  endScene,
  eventTypes,
  hears,
  music,
  phones,
  refusedAs,
  restart,
  ringline,
  setScene,
  spanOf,
  talk,
} from './transfer-scene.js';
import { waitFor } from '../../lab/wait-for.js';

beforeAll(() => setScene({ observe: true }));
afterAll(endScene);

const CONTEXT = 'company-extensions';
const name = (extensionContexts: readonly string[]) =>
  ringline.call('PATCH', `/v1/pbx-nodes/${company.nodeId}`, { body: { extensionContexts } });
const partOf = ({ participants }: Call) =>
  participants.map(({ number, device, role }) => [number?.raw ?? device, role]);
const failed = (reason: string) => `The transfer did not come about (${reason}).`;

/** All that is recorded, a while after the end of the last call: what the dial plan did for it is no call of its own. */
async function isOneRecord(record: Call): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const { items } = (await company.call('GET', `/v1/calls?limit=50&from=${record.startedAt}`)).body;
  expect((items as Call[]).map(({ id }) => id)).toEqual([record.id]);
}

describe('a transfer to an extension of the dial plan', () => {
  it('is refused until the PBX node names the context', async () => {
    const call = await talk();
    expect(await call.post('transfer', { extension: '600' })).toMatchObject({
      status: 409,
      body: {
        type: expect.stringMatching(/extensions-not-allowed$/),
        field: 'extension',
        detail: 'The PBX node lab names no context in which extensions may be dialled.',
      },
    });
    expect((await name(['in valid'])).status).toBe(400);
    expect(await name([CONTEXT])).toMatchObject({ status: 200, body: { extensionContexts: [CONTEXT] } });
    for (const extension of ['', 's', '600@from-trunk', '600,1', '${SHELL(id)}', '+49301', '1'.repeat(21)])
      expect((await call.post('transfer', { extension })).status, extension).toBe(400);
    for (const body of [
      { context: CONTEXT },
      { extension: '600', to: '+4930111222' },
      { extension: '600', context: '' },
    ])
      expect((await call.post('transfer', body)).status).toBe(400);
    const elsewhere = { extension: '600', context: 'from-trunk' };
    expect(await call.post('transfer', elsewhere)).toMatchObject(refusedAs(409, 'extensions-not-allowed'));
    expect(await call.post('transfer', { extension: '112' })).toMatchObject(refusedAs(422, 'number-blocked'));
    expect((await call.read()).status).toBe('answered');
    await call.customer.hangup();
    await call.over();
  });

  it('takes the customer to whoever answers there: one record, in which the extension has its part', async () => {
    const call = await talk();
    expect((await call.post('transfer', { extension: '600', context: CONTEXT })).status).toBe(202);
    const second = await phones[1]!.incoming();
    expect(second.peer).toMatch(/^\+4930231253/);
    await call.sound(music, 'the customer to hear music');
    await second.answer();
    await call.first.waitFor('closed');
    await call.status('answered');
    await Promise.all([hears('agent2'), hears('trunk')]);
    await second.hangup();
    await call.customer.waitFor('closed');
    const record = await call.over();
    expect(await eventTypes(call.id)).toEqual(DONE);
    expect(record).toMatchObject({ outcome: 'answered', hangup: { by: 'agent' }, estimated: false });
    expect(partOf(record)).toEqual([
      ['PJSIP/agent1', 'transferred'],
      ['600', 'answered'],
    ]);
    const [agent, extension] = record.participants;
    expect((agent?.talkSeconds ?? 0) + (extension?.talkSeconds ?? 0)).toBe(record.talkSeconds);
    const { from, until } = spanOf(second);
    expect(Math.abs((extension?.talkSeconds ?? 0) * 1_000 - (until - from))).toBeLessThan(2_000);
    await isOneRecord(record);
  });

  it('takes him to a machine that answers by itself, and ends with that', async () => {
    const call = await talk();
    await call.post('transfer', { extension: '601' });
    await call.first.waitFor('closed');
    await hears('trunk');
    await call.customer.waitFor('closed', 30_000);
    const record = await call.over();
    expect(partOf(record)).toEqual([
      ['PJSIP/agent1', 'transferred'],
      ['601', 'answered'],
    ]);
    await isOneRecord(record);
  });

  it.each([
    ['does not exist', '699', 'invalid-number'],
    ['is busy', '602', 'remote-busy'],
    ['does not answer in time', '600', 'remote-no-answer'],
  ])('comes back to the agent when it %s', async (_, extension, reason) => {
    const call = await talk();
    expect((await call.post('transfer', { extension, ringSeconds: 5 })).status).toBe(202);
    await waitFor(async () => (await call.timeline()).includes(failed(reason)), {
      what: `${failed(reason)} in the timeline`,
      timeoutMs: 15_000,
    });
    await call.status('answered');
    await call.sound(both('agent1'), 'both to be heard again');
    await call.customer.hangup();
    const record = await call.over();
    expect(await eventTypes(call.id)).toEqual(BACK);
    await agrees(record, call.customer, [{ device: 'PJSIP/agent1', call: call.first }]);
  });

  it('is cancelled, and the phone there stops', async () => {
    const call = await talk();
    await call.post('transfer', { extension: '600' });
    const second = await phones[1]!.incoming();
    expect((await call.post('transfer/cancel')).status).toBe(202);
    await second.waitFor('closed');
    await call.status('answered');
    await call.customer.hangup();
    await call.over();
  });

  it('goes on after a kill of Ringline while it rings', async () => {
    const call = await talk();
    await call.post('transfer', { extension: '600' });
    const second = await phones[1]!.incoming();
    await restart();
    expect((await call.read()).status).toBe('held');
    await second.answer();
    await call.first.waitFor('closed');
    await Promise.all([hears('agent2'), hears('trunk')]);
    await call.customer.hangup();
    await second.waitFor('closed');
    expect(partOf(await call.over()).map(([, role]) => role)).toEqual(['transferred', 'answered']);
  });

  it.each(['complete', 'cancel'])('with consultation: %s', async (what) => {
    const call = await talk();
    await call.post('transfer', { extension: '600', mode: 'attended' });
    const second = await phones[1]!.incoming();
    await second.answer();
    await Promise.all([hears('agent1'), hears('agent2')]);
    expect((await call.read()).status).toBe('held');
    expect((await call.post(`transfer/${what}`)).status).toBe(202);
    await (what === 'complete' ? call.first : second).waitFor('closed');
    await call.status('answered');
    await Promise.all([hears(what === 'complete' ? 'agent2' : 'agent1'), hears('trunk')]);
    await call.customer.hangup();
    const record = await call.over();
    expect(await eventTypes(call.id)).toEqual(what === 'complete' ? DONE : BACK);
    expect(partOf(record).map(([, role]) => role)).toEqual(
      what === 'complete' ? ['transferred', 'answered'] : ['answered', 'rang'],
    );
    await isOneRecord(record);
  });
});

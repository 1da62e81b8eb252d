import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PhoneCall } from '../../lab/baresip.js';
import { waitFor } from '../../lab/wait-for.js';
import {
  company,
  endScene,
  eventTypes,
  passOnAsked,
  phones,
  ringline,
  rolesOf,
  setScene,
  spanOf,
  talk,
} from './transfer-scene.js';

beforeAll(() => setScene({ recording: 'on', phoneTransfers: 'ringline' }));
afterAll(endScene);

async function passOnBlindly(call: Awaited<ReturnType<typeof talk>>): Promise<PhoneCall> {
  await call.first.blindTransfer('agent2');
  const second = await phones[1]!.incoming();
  await call.status('held');
  await second.answer();
  return second;
}

const transferredBy = async (phoneTransfers: 'ringline' | 'pbx'): Promise<void> => {
  await company.call('PATCH', `/v1/pbx-nodes/${company.nodeId}`, { body: { phoneTransfers } });
  await waitFor(
    async () =>
      (await ringline.call('GET', `/v1/pbx-nodes/${company.nodeId}/health`)).body.phoneTransfers === phoneTransfers,
    { what: `phones’ transfers to be carried out by ${phoneTransfers}` },
  );
};

/** By whom, how, and what is told of it besides what the recording changes. */
const table = [
  ['ringline', 'blind', ['started', 'ringing', 'answered', 'held', 'transferred', 'resumed']],
  ['ringline', 'attended', ['started', 'ringing', 'answered', 'held', 'transferred', 'resumed']],
  ['pbx', 'blind', ['started', 'ringing', 'answered', 'transferred', 'held', 'resumed']],
  ['pbx', 'attended', ['started', 'ringing', 'answered', 'held', 'resumed', 'transferred']],
] as const;

describe('the recording of a call that a phone transfers', () => {
  it.each(table)('by %s, %s, goes on and is one', async (by, mode, types) => {
    await transferredBy(by);
    const call = await talk();
    await waitFor(async () => (await call.read()).recordings[0]?.state === 'recording', { what: 'the recording' });
    await sleep(1_000);
    const second = mode === 'attended' ? await passOnAsked(call, 1) : await passOnBlindly(call);
    await waitFor(async () => rolesOf(await call.read())[1]?.[1] === 'answered', { what: 'the second to have him' });
    await sleep(2_000);
    await call.customer.hangup();
    await second.waitFor('closed');
    await call.over();
    await waitFor(async () => (await call.read()).recordings.every(({ state }) => state === 'ready'), {
      what: 'the recording to be taken over',
      timeoutMs: 20_000,
    });
    const record = await call.read();
    expect(record).toMatchObject({
      direction: 'inbound',
      outcome: 'answered',
      outcomeReason: 'talked',
      hangup: { by: 'remote' },
    });
    expect(rolesOf(record)).toEqual([
      ['PJSIP/agent1', 'transferred'],
      ['PJSIP/agent2', 'answered'],
    ]);
    const { from, until } = spanOf(call.customer);
    expect(Math.abs(record.talkSeconds * 1_000 - (until - from))).toBeLessThan(1_000);
    expect(record.participants.reduce((sum, { talkSeconds }) => sum + talkSeconds, 0)).toBe(record.talkSeconds);
    expect(record.recordings).toHaveLength(1);
    expect(Math.abs((record.recordings[0]?.durationSeconds ?? 0) * 1_000 - (until - from))).toBeLessThan(1_500);
    expect((await eventTypes(call.id)).filter((type) => type !== 'updated')).toEqual([
      ...types,
      'ended',
      'recording.ready',
    ]);
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openAgentScreen, type AgentScreen } from '../../lab/demo/agent-screen.js';
import type { PhoneCall } from '../../lab/baresip.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';
import type { Pop } from '../../src/screen-pop/pop.js';
import { EventStream } from '../support/event-stream.js';
import {
  aim,
  company,
  endScene,
  eventTypes,
  lab,
  phones,
  ringline,
  setScene,
  talk,
  toAgent,
} from './transfer-scene.js';

beforeAll(() => setScene());
afterAll(endScene);

let screen: AgentScreen;
beforeEach(async () => {
  screen = await openAgentScreen(company, ringline.url, company.agentIds[1] ?? '');
});
afterEach(() => screen.stop());

/** The newest pop of the second agent was on his screen before his phone was asked to ring. */
async function poppedBefore(ring: PhoneCall, customer: string, pops = 1): Promise<void> {
  await waitFor(() => screen.pops.length >= pops, { what: 'the pop' });
  expect(screen.pops).toHaveLength(pops);
  const pop = screen.pops.at(-1)!;
  expect(pop).toMatchObject({ caller: customer, ackStatus: 204 });
  expect(pop.at).toBeLessThanOrEqual(ring.events[0]!.at);
}

/** What a page of the second agent that connects now is shown. */
async function shownNow(): Promise<readonly Pop[]> {
  const { body } = await company.call('POST', '/v1/stream-tokens', { body: { agentId: company.agentIds[1] } });
  const stream = await EventStream.open(`${ringline.url}/v1/stream?token=${body.token}`);
  await waitFor(() => stream.all('snapshot').length > 0, { what: 'the snapshot' });
  stream.close();
  return (stream.all('snapshot')[0] as { pops: Pop[] }).pops;
}

describe('the target of a transfer', () => {
  it.each(['blind', 'attended'])(
    'sees who it is before his phone rings (%s), and until it is decided',
    async (mode) => {
      const call = await talk();
      expect((await call.post('transfer', toAgent(1, { mode }))).status).toBe(202);
      const second = await phones[1]!.incoming();
      const { from, id } = await call.read();
      await poppedBefore(second, from.e164 ?? '');
      expect(await shownNow()).toMatchObject([
        { id: screen.pops[0]!.id, callId: id, from, agentId: company.agentIds[1] },
      ]);
      await second.answer();
      if (mode === 'attended') await call.post('transfer/complete');
      await call.status('answered');
      expect(await shownNow()).toEqual([]);
      await call.customer.hangup();
      await call.over();
      expect(screen.pops).toHaveLength(1);
    },
  );

  it('sees it too when the customer was on hold already', async () => {
    const call = await talk();
    await call.post('hold');
    await call.status('held');
    await call.post('transfer', toAgent(1));
    const second = await phones[1]!.incoming();
    await poppedBefore(second, (await call.read()).from.e164 ?? '');
    await second.reject();
    await call.status('answered');
    expect(await shownNow()).toEqual([]);
    await call.customer.hangup();
    await call.over();
    expect(await eventTypes(call.id)).toEqual([
      'started',
      'ringing',
      'answered',
      'held',
      'updated',
      'resumed',
      'ended',
    ]);
  });

  it('sees it again who was rung for the call in vain', async () => {
    const target = { agentIds: company.agentIds.slice(0, 2), ringSeconds: 25 };
    await company.call('PATCH', `/v1/lines/${company.lineId}`, { body: { target } });
    const before = phones[1]!.calls.length;
    const call = await talk(() =>
      waitFor(() => phones[1]!.calls.length > before, { what: 'the second phone to ring' }),
    );
    await aim(0);
    const caller = (await call.read()).from.e164 ?? '';
    await poppedBefore(phones[1]!.calls.at(-1)!, caller);
    await waitFor(async () => (await call.read()).participants[1]?.leftAt !== null, { what: 'the phone to stop' });
    expect(await shownNow()).toEqual([]);
    await call.post('transfer', toAgent(1));
    const second = await phones[1]!.incoming();
    await poppedBefore(second, caller, 2);
    expect(new Set(screen.pops.map(({ id }) => id)).size).toBe(1);
    await call.customer.hangup();
    await second.waitFor('closed');
    await call.over();
    expect(await shownNow()).toEqual([]);
  });

  it('sees the customer of a click-to-call', async () => {
    const customer = await lab.sipp.phone({ port: lab.ports.trunk, ringMs: 300, media: 'echo' });
    const to = '+493023125788';
    const { id } = (
      await company.call('POST', '/v1/calls', {
        headers: { 'idempotency-key': randomUUID() },
        body: { agentId: company.agentIds[0], to },
      })
    ).body as Call;
    await (await phones[0]!.incoming()).answer();
    const isAnswered = async () => ((await company.call('GET', `/v1/calls/${id}`)).body as Call).status === 'answered';
    await waitFor(isAnswered, { what: 'both to talk' });
    await company.call('POST', `/v1/calls/${id}/transfer`, { body: toAgent(1) });
    await poppedBefore(await phones[1]!.incoming(), to);
    await company.call('POST', `/v1/calls/${id}/hangup`);
    await customer.call(({ byeAt }) => byeAt !== undefined, 'the end');
    await customer.stop();
  });
});

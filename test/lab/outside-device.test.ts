import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeskPhone } from '../../lab/baresip.js';
import { connected, foundCompany, type Company } from '../../lab/company.js';
import { startRingline, type LabRingline } from '../../lab/ringline.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';

// The row of every outcome is in outcome-table.ts; here is what needs a telephone with keys, two of them, or a kill.

let lab: Lab;
let ringline: LabRingline;
let company: Company;
/** What the line's carrier reaches: the agents' mobile phones, and customers. */
let outside: DeskPhone;
const mobiles = ['+491713920001', '+491713920002'];
const customers = ['+493023125601', '+493023125602'];

beforeAll(async () => {
  lab = await startLab();
  ringline = await startRingline(lab);
  company = await foundCompany(lab, ringline, { agents: [1, 2], trunk: 'carrier1', ringSeconds: 25 });
  for (const [i, number] of mobiles.entries()) await setDevices(i, [{ kind: 'number', number }]);
  outside = await lab.baresip.phone('carrier1', { numbers: [...mobiles, ...customers] });
});
afterAll(async () => {
  await ringline?.stop();
  await lab?.stop();
});

async function setDevices(agent: number, devices: readonly object[]): Promise<void> {
  await company.call('PATCH', `/v1/agents/${company.agentIds[agent]}`, { body: { devices } });
}

async function newest(isWanted: (call: Call) => boolean, what: string): Promise<Call> {
  return waitFor(
    async () => {
      const [call] = (await company.call('GET', '/v1/calls?limit=1')).body.items as Call[];
      return call !== undefined && isWanted(call) && call;
    },
    { what, timeoutMs: 30_000 },
  );
}

async function timelineOf({ id }: Call): Promise<string> {
  const { items } = (await company.call('GET', `/v1/calls/${id}/timeline`)).body as { items: { text: string }[] };
  return items.map(({ text }) => text).join('\n');
}

/** Channels of a call in the switch, with how much sound went to each. */
async function legsInSwitch(callId: string): Promise<readonly { readonly id: string; readonly sent: number }[]> {
  const { ariUrl, username, password } = lab.asterisk;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const get = async (path: string): Promise<unknown> => {
    const response = await fetch(ariUrl + path, { headers: { authorization } });
    return response.ok ? response.json() : null;
  };
  const channels = (await get('/channels')) as { id: string }[];
  return Promise.all(
    channels
      .filter(({ id }) => id.startsWith(`rl-${callId}`))
      .map(async ({ id }) => {
        const statistics = (await get(`/channels/${id}/rtp_statistics`)) as { txcount: number } | null;
        return { id, sent: statistics?.txcount ?? 0 };
      }),
  );
}

async function hearsQuestion(callId: string): Promise<void> {
  await waitFor(async () => (await legsInSwitch(callId)).some(({ id, sent }) => id.includes('-g') && sent > 60), {
    what: 'the question to be heard',
    timeoutMs: 10_000,
  });
}

async function click(to: string): Promise<{ id: string }> {
  const answer = await company.call('POST', '/v1/calls', {
    headers: { 'idempotency-key': randomUUID() },
    body: { agentId: company.agentIds[0], to },
  });
  expect(answer.status).toBe(201);
  return answer.body as { id: string };
}

describe('an outside number as the device of an agent', () => {
  it('of two who answer the first to press 1 has the caller, who saw the line’s number and not the mobile one', async () => {
    const customer = await lab.baresip.customer('+493023125301');
    const outgoing = await customer.dial(company.did);
    const [one, two] = [await outside.incoming(), await outside.incoming()];
    expect([one.peer, two.peer]).toEqual([company.number, company.number]);
    await one.answer();
    await two.answer();
    const asked = await newest(({ status }) => status === 'ringing', 'the call to ring');
    await hearsQuestion(asked.id);
    expect(asked.answeredAt).toBeNull();
    await two.dtmf('1');
    await one.waitFor('closed');
    const talking = await newest(({ status }) => status === 'answered', 'the parties to talk');
    await waitFor(async () => (await legsInSwitch(talking.id)).length === 1, { what: 'one leg of ours' });
    const [before] = await legsInSwitch(talking.id);
    await waitFor(async () => ((await legsInSwitch(talking.id))[0]?.sent ?? 0) > (before?.sent ?? 0) + 60, {
      what: 'the caller to be heard',
      timeoutMs: 10_000,
    });
    await two.hangup();
    await outgoing.waitFor('closed');
    const record = await newest(({ status }) => status === 'ended', 'the record to end');
    expect(record).toMatchObject({ outcome: 'answered', hangup: { by: 'agent' }, estimated: false });
    expect(record.participants.map(({ role }) => role).toSorted()).toEqual(['answered', 'rang']);
    expect(record.participants.map(({ number, device }) => [number?.e164, device])).toEqual(
      mobiles.map((number) => [number, `PJSIP/${number}@carrier1`]),
    );
    expect(record.legs.map(({ release }) => release)).toContain('answered-elsewhere');
    expect(await timelineOf(record)).toMatch(/answered and is asked to press 1\.[^]*pressed 1\./);
    await customer.stop();
  });

  it('is asked anew after a kill during the question; then the customer of the click is called, once', async () => {
    const before = outside.calls.length;
    const { id } = await click('+493023125601');
    const mobile = await outside.incoming();
    await mobile.answer();
    await hearsQuestion(id);
    await ringline.kill();
    // Nobody hears it.
    await mobile.dtmf('1');
    await ringline.start();
    await ringline.ready();
    await connected(ringline, company.nodeId);
    await waitFor(async () => (await timelineOf({ id } as Call)).includes('asked to press 1'), { what: 'the answer' });
    await mobile.dtmf('1');
    const customer = await outside.incoming();
    await customer.answer();
    // Both are calls of one telephone here, which puts the one on hold while it answers the other.
    await newest(({ answeredAt }) => answeredAt !== null, 'the parties to talk');
    await customer.hangup();
    await mobile.waitFor('closed');
    const record = await newest(({ status }) => status === 'ended', 'the record to end');
    expect(record).toMatchObject({ id, outcome: 'answered', hangup: { by: 'remote' } });
    expect(record.legs).toHaveLength(2);
    expect(outside.calls.length - before, 'calls of the mobile phone and of the customer').toBe(2);
  });

  it('is let go by Asterisk when Ringline is killed during the question and stays away', async () => {
    const before = outside.calls.length;
    const { id } = await click('+493023125602');
    const mobile = await outside.incoming();
    await mobile.answer();
    const answeredAt = Date.now();
    await hearsQuestion(id);
    await ringline.kill();
    await mobile.waitFor('closed', 30_000);
    expect(Date.now() - answeredAt).toBeLessThan(25_000);
    await ringline.start();
    await ringline.ready();
    await connected(ringline, company.nodeId);
    const record = await newest(({ status }) => status === 'ended', 'the record to end');
    expect(record).toMatchObject({ id, outcome: 'failed', outcomeReason: 'agent-no-answer' });
    expect(outside.calls.length - before, 'calls of the mobile phone').toBe(1);
  });

  it('is not rung any more once the company has blocked it', async () => {
    const before = outside.calls.length;
    const { id } = (await company.call('POST', '/v1/blocked-numbers', { body: { pattern: '+49171392000*' } })).body;
    const refused = await company.call('POST', '/v1/calls', {
      allow: true,
      headers: { 'idempotency-key': randomUUID() },
      body: { agentId: company.agentIds[0], to: customers[0] },
    });
    expect(refused).toMatchObject({
      status: 422,
      body: { type: expect.stringMatching(/number-blocked$/), field: 'agentId' },
    });
    const customer = await lab.baresip.customer('+493023125302');
    const outgoing = await customer.dial(company.did);
    await outgoing.waitFor('established');
    await outgoing.hangup();
    const record = await newest(({ status }) => status === 'ended', 'the record to end');
    expect(record).toMatchObject({ outcome: 'missed', outcomeReason: 'device-unreachable', participants: [] });
    expect(outside.calls.length).toBe(before);
    await company.call('DELETE', `/v1/blocked-numbers/${id}`);
    await customer.stop();
  });

  it('does not take a transfer: that rings phones only', async () => {
    const customer = await lab.baresip.customer('+493023125303');
    await customer.dial(company.did);
    const [one, two] = [await outside.incoming(), await outside.incoming()];
    await one.answer();
    await hearsQuestion((await newest(({ status }) => status === 'ringing', 'the call to ring')).id);
    await one.dtmf('1');
    await two.waitFor('closed');
    const { id, participants } = await newest(({ status }) => status === 'answered', 'the parties to talk');
    const agentId = participants.find(({ role }) => role === 'rang')?.agentId;
    expect(await company.call('POST', `/v1/calls/${id}/transfer`, { allow: true, body: { agentId } })).toMatchObject({
      status: 409,
      body: { type: expect.stringMatching(/agent-without-device$/) },
    });
    await one.hangup();
    await newest(({ status }) => status === 'ended', 'the record to end');
    await customer.stop();
  });
});

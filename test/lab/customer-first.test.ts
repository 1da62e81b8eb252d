import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connected } from '../../lab/company.js';
import type { Phone, PhoneOptions } from '../../lab/sipp.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';
import {
  company,
  endScene,
  eventTypes,
  hears,
  lab,
  nothingLeft,
  phones,
  restart,
  ringline,
  rolesOf,
  setScene,
  toAgent,
} from './transfer-scene.js';

beforeAll(() => setScene());
afterAll(endScene);

let customers = 0;

/** A customer at the carrier's address, who is called before the first agent. */
async function click(acts: PhoneOptions) {
  const carrier: Phone = await lab.sipp.phone({ port: lab.ports.trunk, media: 'stream', ...acts });
  const to = `+4930231256${String(customers++).padStart(2, '0')}`;
  const clickedAt = Date.now();
  const asked = company
    .call('POST', '/v1/calls', {
      allow: true,
      headers: { 'idempotency-key': randomUUID() },
      body: { agentId: company.agentIds[0], to, order: 'customer-first' },
    })
    .catch(() => undefined);
  const find = async (): Promise<Call | undefined> =>
    ((await company.call('GET', '/v1/calls?limit=5')).body.items as Call[]).find(({ remote }) => remote.e164 === to);
  const found = () => waitFor(find, { what: 'the call in the records' });
  return {
    to,
    asked,
    carrier,
    find,
    found,
    invites: async () => (await carrier.calls()).length,
    /** How often the agent's phone was called for it. */
    rings: () => phones[0]!.calls.filter(({ events }) => (events[0]?.at ?? 0) > clickedAt).length,
    timeline: async () => {
      const { id } = await found();
      return ((await company.call('GET', `/v1/calls/${id}/timeline`)).body.items as { text: string }[]).map(
        ({ text }) => text,
      );
    },
    over: async (): Promise<Call> => {
      const { id } = await found();
      await waitFor(async () => (await find())?.status === 'ended', { what: 'the record to end', timeoutMs: 20_000 });
      await nothingLeft(id);
      await carrier.stop();
      return (await find()) as Call;
    },
  };
}

type Clicked = Awaited<ReturnType<typeof click>>;

const isTold = (call: Clicked, text: string) =>
  waitFor(async () => (await call.timeline()).includes(text), { what: text, timeoutMs: 20_000 });
const answeredBy = (call: Clicked) =>
  call.carrier.call(({ answeredAt }) => answeredAt !== undefined, 'the customer to answer', 30_000);

/** The agent takes the call, both are heard, and he hangs up. */
async function talked(call: Clicked): Promise<Call> {
  await waitFor(async () => (await call.find())?.status === 'answered', { what: 'both to talk', timeoutMs: 30_000 });
  await Promise.all([hears('agent1'), hears('trunk')]);
  await phones[0]!.calls.at(-1)!.hangup();
  const record = await call.over();
  expect(record).toMatchObject({ outcome: 'answered', outcomeReason: 'talked', hangup: { by: 'agent' } });
  expect(await call.invites(), 'calls of the customer').toBe(1);
  expect(call.rings(), 'calls of the agent').toBe(1);
  return record;
}

describe('a click-to-call in the order customer first', () => {
  it('lets the customer hear ringing while the agent’s phone rings, then the agent', async () => {
    const call = await click({ ringMs: 500 });
    await answeredBy(call);
    const agent = await phones[0]!.incoming();
    expect(agent.peer).toBe(call.to);
    await hears('trunk');
    expect((await call.found()).status).toBe('ringing');
    await agent.answer();
    const record = await talked(call);
    expect(await eventTypes(record.id)).toEqual(['started', 'ringing', 'answered', 'ended']);
    expect(Date.parse(record.answeredAt ?? '')).toBeGreaterThan(Date.parse(record.ringingAt ?? '') + 500);
    expect(await call.timeline()).toContain(
      `A call to ${call.to} was requested on Sales (${company.number}), the other party first.`,
    );
    expect((await call.carrier.calls())[0]).toMatchObject({ calledUser: call.to, fromUser: company.number });
  });

  it('can be transferred', async () => {
    const call = await click({});
    await (await phones[0]!.incoming()).answer();
    await waitFor(async () => (await call.find())?.status === 'answered', { what: 'both to talk' });
    const { id } = await call.found();
    expect((await company.call('POST', `/v1/calls/${id}/transfer`, { body: toAgent(1) })).status).toBe(202);
    const second = await phones[1]!.incoming();
    await second.answer();
    await hears('agent2');
    await second.hangup();
    const record = await call.over();
    expect(rolesOf(record).map(([, role]) => role)).toEqual(['transferred', 'answered']);
    expect(record).toMatchObject({ outcome: 'answered', hangup: { by: 'agent' } });
  });

  it('refuses another order than the two', async () => {
    const answer = await company.call('POST', '/v1/calls', {
      allow: true,
      headers: { 'idempotency-key': randomUUID() },
      body: { agentId: company.agentIds[0], to: '+493023125699', order: 'both' },
    });
    expect(answer).toMatchObject({ status: 400, body: { field: 'order' } });
  });

  it('ends when Ringline is stopped while the customer’s phone rings: nobody could join him with the agent', async () => {
    const call = await click({ ringMs: 'forever' });
    await call.carrier.call(({ ringingAt }) => ringingAt !== undefined, 'the customer’s ring');
    await isTold(call, 'the other party rang.');
    await ringline.stop();
    await call.carrier.call(({ cancelAt }) => cancelAt !== undefined, 'the customer’s phone to stop');
    await ringline.start();
    await ringline.ready();
    await connected(ringline, company.nodeId);
    expect(await call.over()).toMatchObject({ outcome: 'failed', outcomeReason: 'service-stopped' });
    expect(call.rings()).toBe(0);
  });
});

/** A request that a kill left half decided counts against its agent until it is swept. */
async function nothingOpen(): Promise<void> {
  const database = new pg.Client({ connectionString: ringline.databaseUrl });
  await database.connect();
  const isDone = async () => (await database.query('select from call_request where open')).rowCount === 0;
  await waitFor(isDone, { what: 'no click-to-call to be open', timeoutMs: 40_000 });
  await database.end();
}

describe('a kill of Ringline during it', () => {
  beforeEach(nothingOpen);

  it.each([0, 5, 10, 20, 40, 80])('%i ms after it was asked for dials nobody twice', async (ms) => {
    const call = await click({ ringMs: 300 });
    await sleep(ms);
    await restart();
    await call.asked;
    if ((await call.find()) === undefined) expect(await call.invites()).toBe(0);
    else {
      // It may have been written down as dialled and not been: then it is not dialled any more.
      const dialled = await answeredBy(call).catch(() => null);
      if (dialled !== null) {
        await (await phones[0]!.incoming(30_000)).answer();
        await talked(call);
        return;
      }
      await company.call('POST', `/v1/calls/${(await call.found()).id}/hangup`);
      expect((await call.over()).outcome).toBe('cancelled');
    }
    expect(call.rings()).toBe(0);
    await call.carrier.stop();
  });

  it('changes nothing while the customer’s phone rings', async () => {
    const call = await click({ ringMs: 8_000 });
    await isTold(call, 'the other party rang.');
    await restart();
    await answeredBy(call);
    await (await phones[0]!.incoming()).answer();
    await talked(call);
  });

  it('is made up for when the customer answers meanwhile', async () => {
    const call = await click({ ringMs: 1_500 });
    await isTold(call, 'the other party rang.');
    await ringline.kill();
    await answeredBy(call);
    await ringline.start();
    await ringline.ready();
    await (await phones[0]!.incoming(30_000)).answer();
    await talked(call);
  });

  it('changes nothing while the agent’s phone rings', async () => {
    const call = await click({});
    const agent = await phones[0]!.incoming();
    await isTold(call, 'PJSIP/agent1 rang.');
    await restart();
    await hears('trunk');
    await agent.answer();
    await talked(call);
  });

  it('is made up for when the agent answers meanwhile', async () => {
    const call = await click({});
    const agent = await phones[0]!.incoming();
    await isTold(call, 'PJSIP/agent1 rang.');
    await ringline.kill();
    await agent.answer();
    await ringline.start();
    await ringline.ready();
    await talked(call);
  });

  it('is made up for when the customer hangs up meanwhile: the agent’s phone stops', async () => {
    const call = await click({ talkMs: 2_500 });
    const agent = await phones[0]!.incoming();
    await isTold(call, 'PJSIP/agent1 rang.');
    await ringline.kill();
    await call.carrier.call(({ byeAt }) => byeAt !== undefined, 'the customer to hang up');
    await ringline.start();
    await ringline.ready();
    await agent.waitFor('closed', 20_000);
    expect(await call.over()).toMatchObject({ outcome: 'failed', estimated: true });
  });

  it('leaves nobody in silence who talks', async () => {
    const call = await click({});
    const agent = await phones[0]!.incoming();
    await agent.answer();
    await waitFor(async () => (await call.find())?.status === 'answered', { what: 'both to talk' });
    await Promise.all([hears('agent1'), hears('trunk')]);
    await ringline.kill();
    await agent.hangup();
    await call.carrier.call(({ byeAt }) => byeAt !== undefined, 'the customer to be let go');
    await ringline.start();
    await ringline.ready();
    expect(await call.over()).toMatchObject({ outcome: 'answered' });
  });
});

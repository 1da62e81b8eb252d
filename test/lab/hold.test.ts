import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connected, foundCompany, type Company } from '../../lab/company.js';
import { RtpCounters, type RtpPackets } from '../../lab/demo/rtp-counters.js';
import { disagreements } from '../../lab/record-oracle.js';
import { startRingline, type LabRingline } from '../../lab/ringline.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { storedEvents } from '../../lab/stored-events.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';
import { keep, logOf, recordedStream, toKeep } from './kept-stream.js';

let lab: Lab;
let ringline: LabRingline;
let company: Company;
let streams = '';

beforeAll(async () => {
  lab = await startLab();
  streams = join(lab.dir, 'streams');
  ringline = await startRingline(lab, { env: { RECORD_ARI: streams } });
  company = await foundCompany(lab, ringline);
});
afterAll(async () => {
  await ringline?.stop();
  await lab?.stop();
});

/** Name under which the stream of a call with two holds is kept when that is asked for. */
const FIXTURE = 'hold-by-the-api-and-by-a-phone';
const HELD_ONCE = ['started', 'ringing', 'answered', 'held', 'resumed', 'ended'];
const eventTypes = async (id: string) =>
  (await storedEvents(ringline.databaseUrl, id)).map(({ type }) => type.replace('call.', ''));

/** Packets in a second of an established state, not of the change to it. */
const MANY = 25;
const FEW = 5;

/** The caller sends a tone all the time; the agent's phone sends back what it gets. */
async function talk() {
  const phone = await lab.sipp.phone({ register: ['agent1'], ringMs: 100, media: 'echo' });
  const caller = await lab.sipp.caller({ calls: [{ from: '+4930111222', to: company.did }], media: 'stream' });
  const call = await waitFor(
    async () => {
      const { body } = await company.call('GET', '/v1/calls?limit=1');
      return body.items[0]?.status === 'answered' ? (body.items[0] as Call) : null;
    },
    { what: 'the parties to talk', timeoutMs: 20_000 },
  );
  const counters = new RtpCounters(lab.asterisk);
  const read = async (): Promise<RtpPackets> => {
    await counters.read(call);
    return counters.last;
  };
  return {
    id: call.id,
    /** Waits until Asterisk sends as much to each side, in about a second, as is said. */
    hears: async (what: string, isSo: (sent: { toAgent: number; toCustomer: number }) => boolean) => {
      let before = await read();
      await waitFor(
        async () => {
          const now = await read();
          const sent = {
            toAgent: now.agent.sent - before.agent.sent,
            toCustomer: now.customer.sent - before.customer.sent,
          };
          before = now;
          return isSo(sent);
        },
        { what, timeoutMs: 20_000, everyMs: 1_000 },
      );
    },
    status: (status: string) =>
      waitFor(async () => (await company.call('GET', `/v1/calls/${call.id}`)).body.status === status, {
        what: `the call to be ${status}`,
        timeoutMs: 10_000,
      }),
    over: async (): Promise<Call> => {
      await company.call('POST', `/v1/calls/${call.id}/hangup`);
      await caller.done;
      const ended = await waitFor(
        async () => {
          const { body } = await company.call('GET', `/v1/calls/${call.id}`);
          return body.status === 'ended' ? (body as Call) : null;
        },
        { what: 'the record to end', timeoutMs: 20_000 },
      );
      await phone.stop();
      return ended;
    },
    /** What phones and Asterisk's log say against the record of it, which the API ended. */
    disagreements: async (record: Call) => {
      const [remote] = await caller.calls();
      const seen = { remote, agents: await phone.calls(), hungUpByApi: true };
      return disagreements(record, { ...seen, cel: await lab.asterisk.cel() });
    },
  };
}

describe('hold by the API', () => {
  it('plays music to the other party and leaves the agent in peace, over a kill of Ringline too', async () => {
    const call = await talk();
    await call.hears('both to be heard', ({ toAgent, toCustomer }) => toAgent > MANY && toCustomer > MANY);
    const held = await company.call('POST', `/v1/calls/${call.id}/hold`);
    expect(held.status).toBe(202);
    await call.status('held');
    // The agent's phone only echoes: what the other party gets now is music.
    await call.hears('music and silence', ({ toAgent, toCustomer }) => toAgent < FEW && toCustomer > MANY);
    // Asked for again it changes nothing.
    expect((await company.call('POST', `/v1/calls/${call.id}/hold`)).status).toBe(202);
    await ringline.kill();
    await ringline.start();
    await ringline.ready();
    await connected(ringline, company.nodeId);
    await call.status('held');
    expect((await company.call('POST', `/v1/calls/${call.id}/unhold`)).status).toBe(202);
    await call.status('answered');
    await call.hears('both to be heard again', ({ toAgent, toCustomer }) => toAgent > MANY && toCustomer > MANY);
    const record = await call.over();
    expect(record).toMatchObject({
      direction: 'inbound',
      from: { e164: '+4930111222' },
      to: { raw: company.did },
      outcome: 'answered',
      outcomeReason: 'talked',
      // The hold is part of the talk.
      participants: [
        { agentId: company.agentIds[0], device: 'PJSIP/agent1', role: 'answered', talkSeconds: record.talkSeconds },
      ],
      estimated: false,
    });
    expect(await call.disagreements(record)).toEqual([]);
    expect(await eventTypes(call.id)).toEqual(HELD_ONCE);
    const { body } = await company.call('GET', `/v1/calls/${call.id}/timeline`);
    const said = (body.items as { text: string }[]).map(({ text }) => text).filter((text) => text.includes('hold'));
    expect(said).toEqual([
      'The API asked to put the other party on hold.',
      'PJSIP/agent1 put the other party on hold.',
      'The API asked to take the other party off hold.',
      'PJSIP/agent1 took the other party off hold.',
    ]);
  });

  it('is refused with the reason when nobody talks yet, and when the call is over', async () => {
    const phone = await lab.sipp.phone({ register: ['agent1'], ringMs: 'forever', media: 'none' });
    const caller = await lab.sipp.caller({
      calls: [{ from: '+4930111333', to: company.did }],
      media: 'none',
      giveUpMs: 4_000,
    });
    const id = await waitFor(
      async () => {
        const { body } = await company.call('GET', '/v1/calls?limit=1');
        return body.items[0]?.status === 'ringing' ? (body.items[0].id as string) : null;
      },
      { what: 'the phone to ring', timeoutMs: 20_000 },
    );
    const early = await company.call('POST', `/v1/calls/${id}/hold`, { allow: true });
    expect(early).toMatchObject({ status: 409, body: { type: expect.stringContaining('/call-not-answered') } });
    await caller.done;
    await waitFor(async () => (await company.call('GET', `/v1/calls/${id}`)).body.status === 'ended', {
      what: 'the record to end',
      timeoutMs: 20_000,
    });
    const late = await company.call('POST', `/v1/calls/${id}/mute`, { allow: true });
    expect(late).toMatchObject({ status: 409, body: { type: expect.stringContaining('/call-ended') } });
    await phone.stop();
  });
});

describe('hold by a phone', () => {
  it('is followed, as is one by the API before it, and each is told by events of its own', async () => {
    const phone = await lab.baresip.phone('agent1');
    const caller = await lab.sipp.caller({ calls: [{ from: '+4930111444', to: company.did }], media: 'stream' });
    const incoming = await phone.incoming();
    await incoming.answer();
    await incoming.waitFor('established');
    const id = await waitFor(
      async () => {
        const { body } = await company.call('GET', '/v1/calls?limit=1');
        return body.items[0]?.status === 'answered' ? (body.items[0].id as string) : null;
      },
      { what: 'the parties to talk', timeoutMs: 20_000 },
    );
    const becomes = (status: string) =>
      waitFor(async () => (await company.call('GET', `/v1/calls/${id}`)).body.status === status, {
        what: `the call to be ${status}`,
        timeoutMs: 10_000,
      });
    await company.call('POST', `/v1/calls/${id}/hold`);
    await becomes('held');
    await company.call('POST', `/v1/calls/${id}/unhold`);
    await becomes('answered');
    await incoming.hold();
    await becomes('held');
    await incoming.resume();
    await becomes('answered');
    await incoming.hangup();
    await caller.done;
    await becomes('ended');
    expect(await eventTypes(id)).toEqual([...HELD_ONCE.slice(0, -1), 'held', 'resumed', 'ended']);
    const record = (await company.call('GET', `/v1/calls/${id}`)).body as Call;
    const { entries, replayed } = await recordedStream(streams, record);
    expect(replayed.record, 'what the recorded stream folds to').toEqual(record);
    if (toKeep.includes(FIXTURE)) await keep(FIXTURE, entries, replayed, await logOf(lab.asterisk.celFile, record));
    await phone.stop();
  });
});

describe('mute by the API', () => {
  it('keeps the agent from being heard until it is taken back', async () => {
    const call = await talk();
    await call.hears('both to be heard', ({ toAgent, toCustomer }) => toAgent > MANY && toCustomer > MANY);
    await company.call('POST', `/v1/calls/${call.id}/mute`);
    await call.hears('the agent to be mute', ({ toAgent, toCustomer }) => toAgent > MANY && toCustomer < FEW);
    await company.call('POST', `/v1/calls/${call.id}/unmute`);
    await call.hears('both to be heard again', ({ toAgent, toCustomer }) => toAgent > MANY && toCustomer > MANY);
    expect((await call.over()).outcome).toBe('answered');
  });
});

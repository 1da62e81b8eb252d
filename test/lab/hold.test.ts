import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connected, foundCompany, type Company } from '../../lab/company.js';
import { RtpCounters, type RtpPackets } from '../../lab/demo/rtp-counters.js';
import { startRingline, type LabRingline } from '../../lab/ringline.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { storedEvents } from '../../lab/stored-events.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';

let lab: Lab;
let ringline: LabRingline;
let company: Company;

beforeAll(async () => {
  lab = await startLab();
  ringline = await startRingline(lab);
  company = await foundCompany(lab, ringline);
});
afterAll(async () => {
  await ringline?.stop();
  await lab?.stop();
});

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
    expect(record).toMatchObject({ outcome: 'answered', hangup: { by: 'api' } });
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
  it('is followed, and told by events of its own', async () => {
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
    await incoming.hold();
    await becomes('held');
    await incoming.resume();
    await becomes('answered');
    await incoming.hangup();
    await caller.done;
    await becomes('ended');
    const types = (await storedEvents(ringline.databaseUrl, id)).map(({ type }) => type);
    expect(types).toEqual(['call.started', 'call.ringing', 'call.answered', 'call.held', 'call.resumed', 'call.ended']);
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

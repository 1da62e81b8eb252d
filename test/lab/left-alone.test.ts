import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { foundCompany, type Company } from '../../lab/company.js';
import type { FaultProxy } from '../../lab/fault-proxy.js';
import { startRingline, type LabRingline } from '../../lab/ringline.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';

let lab: Lab;
let ringline: LabRingline;
let company: Company;
/** In front of Asterisk, for what gets lost on the way. */
let ari: FaultProxy;

beforeAll(async () => {
  lab = await startLab();
  ari = await lab.proxy(lab.asterisk.ariUrl);
  ringline = await startRingline(lab);
  company = await foundCompany(lab, ringline, { ariUrl: ari.url });
});
afterAll(async () => {
  await ringline?.stop();
  await lab?.stop();
});

async function talking(): Promise<string> {
  const call = await waitFor(
    async () => {
      const { body } = await company.call('GET', '/v1/calls?limit=1');
      return body.items[0]?.status === 'answered' ? body.items[0] : null;
    },
    { what: 'the parties to talk', timeoutMs: 20_000 },
  );
  return call.id;
}

async function ended(id: string): Promise<Call> {
  return waitFor(
    async () => {
      const { body } = await company.call('GET', `/v1/calls/${id}`);
      return body.status === 'ended' ? body : null;
    },
    { what: 'the record to end', timeoutMs: 20_000 },
  );
}

describe('when Ringline is killed while two parties talk and one of them hangs up', () => {
  it.each(['the caller', 'the agent'])(
    '%s: the other is hung up by the PBX, and the record is right',
    async (first) => {
      const talkMs = 6_000;
      const phone = await lab.sipp.phone({
        register: ['agent1'],
        ringMs: 100,
        media: 'none',
        ...(first === 'the agent' && { talkMs }),
      });
      const caller = await lab.sipp.caller({
        calls: [{ from: '+4930111222', to: company.did }],
        media: 'none',
        ...(first === 'the caller' && { talkMs }),
      });
      const id = await talking();
      await ringline.kill();
      const agentSide = await phone.call((call) => call.byeAt != null, 'the end of the call', 20_000);
      const callerSide = await caller.call((call) => call.byeAt != null, 'the end of the call', 20_000);
      await caller.done;
      expect(Math.abs((agentSide.byeAt ?? 0) - (callerSide.byeAt ?? 0))).toBeLessThan(1_000);
      await ringline.start();
      await ringline.ready();
      const record = await ended(id);
      expect(record.outcome).toBe('answered');
      await phone.stop();
    },
  );
});

describe('a finished talk', () => {
  it.each([
    ['the caller', 'remote'],
    ['the agent', 'agent'],
  ])('tells that %s hung up', async (_first, by) => {
    const phone = await lab.sipp.phone({
      register: ['agent1'],
      ringMs: 100,
      media: 'none',
      ...(by === 'agent' && { talkMs: 1_000 }),
    });
    const caller = await lab.sipp.caller({
      calls: [{ from: '+4930111222', to: company.did }],
      media: 'none',
      ...(by === 'remote' && { talkMs: 1_000 }),
    });
    const id = await talking();
    const record = await ended(id);
    await caller.done;
    expect(record).toMatchObject({ outcome: 'answered', hangup: { by }, talkSeconds: 1 });
    await phone.stop();
  });
});

describe('when Ringline is killed between writing down that it dials and dialling', () => {
  it('nobody is rung for ever: a caller whose phone does not ring is given to the fall-back', async () => {
    const dial = ari.intercept({ method: 'POST', path: /\/dial\?/, lose: 'request', how: 'hold' });
    const phone = await lab.sipp.phone({ register: ['agent1'], media: 'none' });
    const caller = await lab.sipp.caller({ calls: [{ from: '+4930111222', to: company.did }], media: 'none' });
    await waitFor(() => dial.hits() > 0, { what: 'the dial to be on its way' });
    await ringline.kill();
    await ringline.start();
    await ringline.ready();
    const answered = await caller.call((call) => call.answeredAt !== undefined, 'the fall-back', 30_000);
    expect((answered.answeredAt ?? 0) - answered.inviteAt).toBeLessThan(15_000);
    expect(await phone.calls()).toEqual([]);
    const { body } = await company.call('GET', '/v1/calls?limit=1');
    await caller.stop();
    const record = await ended(body.items[0].id);
    expect(record).toMatchObject({ outcome: 'missed', outcomeReason: 'device-unreachable', estimated: false });
    dial.release();
    await phone.stop();
  });
});

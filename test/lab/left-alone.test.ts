import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { foundCompany, type Company } from '../../lab/company.js';
import { startRingline, type LabRingline } from '../../lab/ringline.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';

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

async function ended(id: string): Promise<{ outcome: string; hangup: { by: string }; talkSeconds: number }> {
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

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { foundCompany, type Company } from '../../lab/company.js';
import { startRingline, type LabRingline } from '../../lab/ringline.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';

let lab: Lab;
let ringline: LabRingline;
let company: Company;

beforeAll(async () => {
  lab = await startLab();
  ringline = await startRingline(lab);
  company = await foundCompany(lab, ringline, { observe: true, readsCel: true });
  await waitFor(async () => (await lab.asterisk.cli('ari show apps')).includes('ringline-obs-0'), {
    what: 'Ringline to observe the PBX',
    timeoutMs: 60_000,
  });
});
afterAll(async () => {
  await ringline?.stop();
  await lab?.stop();
});

async function records(): Promise<Call[]> {
  return (await company.call('GET', '/v1/calls?limit=50')).body.items as Call[];
}

/** All records once they are over, and a while later, in which more could have come. */
async function settled(count: number): Promise<Call[]> {
  await waitFor(async () => (await records()).filter(({ endedAt }) => endedAt !== null).length >= count, {
    what: `${count} records`,
    timeoutMs: 30_000,
  });
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  return records();
}

describe('where a PBX is observed, a call that Ringline drives', () => {
  it('has one record, that of the incoming call', async () => {
    const phone = await lab.sipp.phone({ register: ['agent1'], ringMs: 100, media: 'none' });
    const caller = await lab.sipp.caller({
      calls: [{ from: '+4930111222', to: company.did }],
      talkMs: 1_500,
      media: 'none',
    });
    await caller.done;
    const [call, ...others] = await settled(1);
    expect(others).toEqual([]);
    expect(call).toMatchObject({ control: 'driven', direction: 'inbound', outcome: 'answered', estimated: false });
    expect(call?.legs).toHaveLength(2);
    expect(call?.version).toBe(4);
    await phone.stop();
  });

  it('has one record, that of the click-to-call', async () => {
    const phone = await lab.sipp.phone({ register: ['agent1'], ringMs: 100, media: 'none' });
    const customer = await lab.sipp.phone({
      name: 'customer',
      port: lab.ports.trunk,
      ringMs: 100,
      talkMs: 1_500,
      media: 'none',
    });
    await company.call('POST', '/v1/calls', {
      body: { agentId: company.agentIds[0], to: '+4930111333' },
      headers: { 'idempotency-key': 'observed' },
    });
    const [call, ...others] = await settled(2);
    expect(others).toHaveLength(1);
    expect(call).toMatchObject({ control: 'driven', direction: 'outbound', outcome: 'answered', estimated: false });
    expect(call?.legs).toHaveLength(2);
    expect(call?.version).toBe(4);
    await Promise.all([phone.stop(), customer.stop()]);
  });

  it('keeps its record where nobody takes the call and the dial plan goes on', async () => {
    const caller = await lab.sipp.caller({
      calls: [{ from: '+4930111222', to: company.did }],
      talkMs: 1_000,
      media: 'none',
    });
    await caller.done;
    const [call, ...others] = await settled(3);
    expect(others).toHaveLength(2);
    expect(call).toMatchObject({ control: 'driven', outcome: 'missed', outcomeReason: 'device-unreachable' });
  });
});

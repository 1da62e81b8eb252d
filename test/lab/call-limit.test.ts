import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { foundCompany, type Company } from '../../lab/company.js';
import { startRingline, type LabRingline } from '../../lab/ringline.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { storedEvents } from '../../lab/stored-events.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';

/** The least that a tenant may set. */
const CALL_SECONDS = 60;

let lab: Lab;
let ringline: LabRingline;
let company: Company;

beforeAll(async () => {
  lab = await startLab();
  ringline = await startRingline(lab);
  company = await foundCompany(lab, ringline, { limits: { callSeconds: CALL_SECONDS } });
});
afterAll(async () => {
  await ringline?.stop();
  await lab?.stop();
});

describe('a call whose parties do not hang up', () => {
  it('is hung up for both after the tenant’s `callSeconds`, and says by whom', async () => {
    const phone = await lab.sipp.phone({ register: ['agent1'], ringMs: 100, media: 'none' });
    const caller = await lab.sipp.caller({ calls: [{ from: '+4930111222', to: company.did }], media: 'none' });
    const patience = (CALL_SECONDS + 15) * 1_000;
    const record = await waitFor(
      async () => {
        const [call] = (await company.call('GET', '/v1/calls?limit=1')).body.items as Call[];
        return call?.status === 'ended' ? call : null;
      },
      { what: 'the record to end', timeoutMs: patience, everyMs: 500 },
    );
    const [agentSide, customer] = await Promise.all([
      phone.call((call) => call.byeAt != null, 'the end of the agent’s leg', 5_000),
      caller.call((call) => call.byeAt != null, 'the end of the caller’s leg', 5_000),
    ]);
    expect(agentSide.byeAt).toBeDefined();
    expect(customer.byeAt).toBeDefined();
    expect(record).toMatchObject({ outcome: 'answered', estimated: false, hangup: { by: 'system' } });
    expect(Math.abs(record.talkSeconds - CALL_SECONDS)).toBeLessThanOrEqual(1);
    expect(record.participants).toMatchObject([{ role: 'answered', talkSeconds: record.talkSeconds }]);
    expect(record.legs.map(({ release }) => release)).toEqual(['limit', 'limit']);
    const types = (await storedEvents(ringline.databaseUrl, record.id)).map(({ type }) => type);
    expect(types).toEqual(['call.started', 'call.ringing', 'call.answered', 'call.ended']);
    await Promise.all([phone.stop(), caller.stop()]);
  }, 120_000);
});

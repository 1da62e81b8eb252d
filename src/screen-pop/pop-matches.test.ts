import { describe, expect, it } from 'vitest';
import { callDocument } from '../../lab/call-document.js';
import { createLog } from '../common/logger.js';
import type { ContactLookup } from '../contacts/contact-lookup.js';
import type { Database } from '../database/database.js';
import { PopMatches } from './pop-matches.js';

const number = { raw: '+493020000001', e164: '+493020000001', name: null };
const [first, other] = ['01936c7e-0000-7000-8000-000000000001', '01936c7e-0000-7000-8000-000000000002'];
const callOf = (tenantId: string) => callDocument({ tenantId, remote: number });

/** Matches of tenants of whom those named have a CRM, and of whom PostgreSQL was asked. */
function matchesWith(served: Set<string>) {
  const clock = { at: 1_000_000 };
  const asked: string[] = [];
  const query = ({ values: [tenantId] }: { values: [string] }) => {
    asked.push(tenantId);
    return Promise.resolve({ rows: served.has(tenantId) ? [{ region: 'DE' }] : [] });
  };
  const database = { state: { status: 'ready' }, source: { driver: { master: { query } } } } as unknown as Database;
  const lookup = {
    findKnown: () => Promise.resolve([]),
    find: () => Promise.resolve({ candidates: [], asked: [] }),
  } as unknown as ContactLookup;
  const matches = new PopMatches(database, lookup, { now: () => clock.at }, createLog('silent'));
  return { find: (tenantId: string) => matches.find(callOf(tenantId), ['agent']), asked, clock };
}

describe('the matches of pops', () => {
  it('are not asked for time and again where the tenant has no CRM', async () => {
    const served = new Set([other]);
    const { find, asked, clock } = matchesWith(served);
    for (const tenantId of [first, first, other, first, other]) expect(await find(tenantId)).toEqual([]);
    expect(asked).toEqual([first, other, other]);
    served.add(first);
    clock.at += 5_000;
    await find(first);
    await find(first);
    expect(asked.slice(3)).toEqual([first, first]);
  });
});

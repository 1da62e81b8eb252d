import type { DataSource } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { RemoteNumbers } from './remote-numbers.js';

const remote = { raw: '+493020000001', e164: '+493020000001' };
const [first, other] = ['first', 'other'];

/** Numbers of tenants of whom those named have a CRM, and of whom PostgreSQL was asked. */
function numbersWith(served: ReadonlySet<string>) {
  const clock = { at: 1_000_000 };
  const asked: string[] = [];
  const query = ({ values: [tenantId] }: { values: [string] }) => {
    asked.push(tenantId);
    return Promise.resolve({ rows: served.has(tenantId) ? [{ region: 'DE' }] : [] });
  };
  const source = { driver: { master: { query } } } as unknown as DataSource;
  const numbers = new RemoteNumbers(source, { now: () => clock.at });
  return { of: (tenantId: string) => numbers.of({ tenantId, remote }), asked, clock };
}

describe('the numbers of other parties', () => {
  it('are not asked for time and again where the tenant has no CRM', async () => {
    const served = new Set([other]);
    const { of, asked, clock } = numbersWith(served);
    for (const tenantId of [first, first, first]) expect(await of(tenantId)).toBeNull();
    for (const tenantId of [other, other]) expect((await of(tenantId))?.e164).toBe(remote.e164);
    expect(asked).toEqual([first, other, other]);
    served.add(first);
    clock.at += 5_000;
    expect((await of(first))?.e164).toBe(remote.e164);
    await of(first);
    expect(asked.slice(3)).toEqual([first, first]);
  });
});

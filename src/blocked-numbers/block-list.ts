import type { EntityManager } from 'typeorm';

/** What can be asked, inside a transaction or outside. */
export type Queries = Pick<EntityManager, 'query'>;

/** Somebody a tenant may have blocked, by every pattern that means them, the most exact first. */
export type Party = { readonly tenantId: string; readonly patterns: readonly string[] };

/** @returns for each party in order the most exact entry of its tenant's block list that means it, or null. */
export async function findBlocking(source: Queries, parties: readonly Party[]): Promise<readonly (string | null)[]> {
  const asked = parties.flatMap(({ tenantId, patterns }) => patterns.map((pattern) => ({ tenantId, pattern })));
  if (asked.length === 0) return parties.map(() => null);
  const rows: { tenant_id: string; pattern: string }[] = await source.query(
    `select tenant_id, pattern from blocked_number
      where (tenant_id, pattern) in (select * from unnest($1::uuid[], $2::text[]))`,
    [asked.map(({ tenantId }) => tenantId), asked.map(({ pattern }) => pattern)],
  );
  const blocked = new Set(rows.map((row) => `${row.tenant_id}\n${row.pattern}`));
  return parties.map(
    ({ tenantId, patterns }) => patterns.find((pattern) => blocked.has(`${tenantId}\n${pattern}`)) ?? null,
  );
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addBacklog } from '../../lab/backlog.js';
import type { Lab } from '../../lab/start-lab.js';
import { newId } from '../../src/common/ids.js';
import { claimSettings, claimSql } from '../../src/webhooks/delivery-sql.js';
import { DeliveryStore } from '../../src/webhooks/delivery-store.js';
import { startDatabaseServer } from '../support/database.js';
import { DeliveryWorld } from '../support/delivery-world.js';

const DUE = 100_000;
const ENDPOINTS = 10;
const ROOM = 32;
const LIMIT = 200;
/** Looked at: the window of each endpoint, the newest, the heads of their calls, and what is claimed, a few times over. */
const MOST_ROWS = 2 * ENDPOINTS * (4 * ROOM + 16 + 2 * ROOM + 16) + 10 * LIMIT;

type PlanNode = {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
};

describe('a backlog of 100,000 due deliveries', () => {
  let lab: Lab;
  let world: DeliveryWorld;
  const endpoints: { readonly tenantId: string; readonly id: string }[] = [];

  beforeAll(async () => {
    lab = await startDatabaseServer();
    world = await DeliveryWorld.start(await lab.postgres.createDatabase());
    // PostgreSQL has never counted these rows, as after a restore.
    await world.query(`alter table delivery set (autovacuum_enabled = false)`);
    const shares = Array.from({ length: ENDPOINTS }, (_, i) => 1 / (i + 1));
    const all = shares.reduce((sum, share) => sum + share);
    for (const share of shares) {
      const tenantId = await world.addTenant();
      const endpoint = { tenantId, id: (await world.addEndpoint(tenantId, 'http://127.0.0.1:1/')).id };
      await addBacklog(world.writer, endpoint, (DUE * share) / all);
      endpoints.push(endpoint);
    }
  });
  afterAll(async () => {
    await world?.stop();
    await lab?.stop();
  });

  /** What a claim reads of the deliveries; nothing of it is kept. */
  async function readByClaim(): Promise<{ readonly ways: ReadonlySet<string>; readonly rows: number }> {
    const runner = world.database.source.createQueryRunner();
    try {
      await runner.startTransaction();
      for (const setting of claimSettings) await runner.query(`set local ${setting} = off`);
      const rooms = endpoints.map(() => ROOM);
      const ids = endpoints.map(({ id }) => id);
      const [row]: { 'QUERY PLAN': { readonly Plan: PlanNode }[] }[] = await runner.query(
        `explain (analyze, format json) ${claimSql}`,
        [newId(), null, ids, rooms, 4, LIMIT, 45, 3, [], [], 500],
      );
      const scans = nodes(row?.['QUERY PLAN'][0]?.Plan).filter(
        (node) => node['Relation Name'] === 'delivery' && node['Node Type'].includes('Scan'),
      );
      return {
        ways: new Set(scans.map((node) => node['Node Type'])),
        rows: scans.reduce(
          (sum, node) => sum + (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'],
          0,
        ),
      };
    } finally {
      await runner.rollbackTransaction();
      await runner.release();
    }
  }

  it('is looked at along its indexes, a little of it at a time, whatever PostgreSQL knows of it', async () => {
    for (const statistics of ['none', 'new']) {
      if (statistics === 'new') await world.query(`analyze delivery`);
      const { ways, rows } = await readByClaim();
      expect([...ways]).toEqual(['Index Scan']);
      expect(rows).toBeGreaterThan(LIMIT);
      expect(rows).toBeLessThan(MOST_ROWS);
    }
  });

  it('does not keep the newest calls: the first claim after their commit has them', async () => {
    const calls = await Promise.all(endpoints.map(({ tenantId }) => world.addCall(tenantId)));
    await world.commit(...calls.map((call) => [call, 'call.started', 'call.ended'] as const));
    const store = new DeliveryStore(world.database.source, newId(), 45);
    const { deliveries } = await store.claim({
      tenantIds: null,
      room: new Map(endpoints.map(({ id }) => [id, ROOM])),
      otherRoom: 4,
      tenantRoom: new Map(),
      otherTenantRoom: 500,
      limit: LIMIT,
    });
    expect(deliveries).toHaveLength(LIMIT);
    const claimed = new Set(deliveries.map(({ document }) => (JSON.parse(document) as { id?: string }).id));
    const firsts: { id: string }[] = await world.query(
      `select id from call_event where call_id = any($1) and sequence = 1`,
      [calls.map(({ id }) => id)],
    );
    expect(firsts.filter(({ id }) => !claimed.has(id))).toEqual([]);
    // The others of the claim are of those that are due longest.
    expect(deliveries.filter(({ document }) => document === '{}').length).toBeGreaterThan(LIMIT / 2);
  });
});

function nodes(node: PlanNode | undefined): PlanNode[] {
  return node === undefined ? [] : [node, ...(node.Plans ?? []).flatMap(nodes)];
}

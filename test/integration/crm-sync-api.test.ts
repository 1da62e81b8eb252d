import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { newId } from '../../src/common/ids.js';
import { connectionRulesSchema } from '../../src/crm/connections/connection-rules.js';
import { callCrmSchema, type CallCrmView } from '../../src/crm/sync/call-crm.schema.js';
import { callDocument } from '../../lab/call-document.js';
import { ApiWorld, type TestTenant } from '../support/api-world.js';
import { commitCall } from '../support/commit-call.js';
import { startDatabaseServer } from '../support/database.js';

let lab: Lab;
let world: ApiWorld;
let tenant: TestTenant;
let other: TestTenant;
let nodeId: string;
beforeAll(async () => {
  lab = await startDatabaseServer();
  world = await ApiWorld.start(await lab.postgres.createDatabase());
  const scopes = ['config', 'calls:read', 'calls:write'] as const;
  [tenant, other] = [await world.addTenant(scopes), await world.addTenant(scopes)];
  nodeId = await world.addNode();
});
afterAll(async () => {
  await world?.stop();
  await lab?.stop();
});

/** Of an adapter that this process does not have. */
async function connect(status: 'enabled' | 'paused' = 'paused', tenantId = tenant.id): Promise<string> {
  const id = newId();
  await world.source.query(
    `insert into crm_connection (tenant_id, id, adapter, name, status, settings, door_hash, rules)
     values ($1, $2, 'toy', 'Toy', $3, '{}', '', $4)`,
    [tenantId, id, status, JSON.stringify(connectionRulesSchema.parse({}))],
  );
  return id;
}

async function endedCall(startedAt: string, ofTenant = tenant.id, document: object = {}): Promise<string> {
  const id = newId();
  await world.source.query(
    `insert into call (tenant_id, id, pbx_node_id, boot, direction, status, agent_ids, started_at, ended_at, version, document)
     values ($1, $2, $3, 'boot', 'inbound', 'ended', '{}', $4, $4, 3, $5)`,
    [ofTenant, id, nodeId, startedAt, JSON.stringify(document)],
  );
  return id;
}

const withKey = (body?: unknown, key = tenant.key) => ({ key, ...(body !== undefined && { body }) });
const crmOf = (callId: string, key = tenant.key) => world.request('GET', `/v1/calls/${callId}/crm`, { key });

describe('what CRMs have of a call', () => {
  it('is told for each connection, and of no other tenant’s call', async () => {
    const connectionId = await connect();
    const callId = await commitCall(world, { tenantId: tenant.id, nodeId }, ['call.started', 'call.ended']);
    await world.source.query(
      `update crm_sync set state = 'failed', failed_step = 'addNote', failure = 'The field is too long.', has = 1, links = $2
       where call_id = $1`,
      [
        callId,
        JSON.stringify({
          contact: { type: 'Contact', id: 'c1', kind: 'contact', name: 'Carol', ownerId: null },
          remoteId: 'r1',
          isClosed: true,
          recordings: [callId],
          task: { id: 't1', isClosed: true },
        }),
      ],
    );
    const { body } = await crmOf(callId);
    expect(body.items).toHaveLength(1);
    expect(callCrmSchema.parse(body.items[0])).toEqual({
      connectionId,
      connectionName: 'Toy',
      connectionStatus: 'paused',
      adapter: 'toy',
      state: 'failed',
      wanted: 2,
      has: 1,
      remoteId: 'r1',
      contact: { type: 'Contact', id: 'c1', name: 'Carol' },
      created: null,
      recordings: [callId],
      task: { id: 't1', isClosed: true },
      words: [
        'It knows the number as Carol (Contact c1).',
        'It has the call as r1, complete.',
        'It has its recording.',
        'A task was made, t1, and is closed.',
      ],
      failedStep: 'addNote',
      failure: 'The field is too long.',
      attempts: 0,
      nextAttemptAt: null,
    });
    expect((await crmOf(callId, other.key)).status).toBe(404);
    expect((await crmOf(newId())).status).toBe(404);
    const failures = await world.ok('GET', `/v1/crm-connections/${connectionId}/failures`, withKey());
    expect(failures).toMatchObject({
      items: [{ callId, failedStep: 'addNote', failure: 'The field is too long.' }],
      nextCursor: null,
    });
    expect(
      (await world.request('GET', `/v1/crm-connections/${connectionId}/failures`, withKey(undefined, other.key)))
        .status,
    ).toBe(404);
  });

  it('is tried again at once when somebody asks, under an audit row', async () => {
    const connectionId = await connect();
    const callId = await endedCall('2026-01-01T00:00:00Z');
    const path = `/v1/calls/${callId}/crm/${connectionId}/retry`;
    const made = await world.request('POST', path, withKey());
    expect([made.status, made.body.state, made.body.wanted]).toEqual([202, 'due', 3]);
    await world.source.query(
      `update crm_sync set state = 'failed', attempts = 9, next_attempt_at = now() + interval '1 day', links = '{"isRemade": true, "remoteId": "r1"}'
       where call_id = $1`,
      [callId],
    );
    const again = await world.ok('POST', path, withKey());
    expect(again).toMatchObject({ state: 'due', attempts: 0, remoteId: 'r1' });
    expect(Date.parse(again.nextAttemptAt)).toBeLessThanOrEqual(Date.now() + 1_000);
    expect(again.words).not.toContain('The call was gone there and was made anew.');
    expect((await world.request('POST', path, withKey(undefined, other.key))).status).toBe(404);
    const [{ count }] = await world.source.query(
      `select count(*)::int as count from audit_entry where action = 'crm-connection.call-retried' and target_id = $1`,
      [connectionId],
    );
    expect(count).toBe(2);
  });

  it.each([
    ['settings cannot be read', callDocument({ status: 'ended' })],
    ['Ringline failed', { participants: 'none' }],
  ])('says that %s, and tries again, of what Ringline cannot tell', async (words, document) => {
    const connectionId = await connect('enabled');
    const callId = await endedCall('2026-01-01T00:00:00Z', tenant.id, document);
    await world.ok('POST', `/v1/calls/${callId}/crm/${connectionId}/retry`, withKey());
    const row = await waitFor(
      async () => (await crmOf(callId)).body.items.find(({ failure }: CallCrmView) => failure !== null),
      { what: 'the worker to look at the call' },
    );
    expect(row).toMatchObject({ state: 'due', failedStep: 'prepare', attempts: 1 });
    expect(row.failure).toContain(words);
    await world.source.query(`update crm_connection set status = 'paused' where id = $1`, [connectionId]);
  });
});

describe('a backfill', () => {
  it('makes calls of the past due that the CRM does not have, behind others', async () => {
    const connectionId = await connect();
    const theirs = await endedCall('2026-02-01T10:00:00Z', other.id);
    const calls = [
      await endedCall('2026-02-01T10:00:00Z'),
      await endedCall('2026-02-01T11:00:00Z'),
      await endedCall('2026-02-01T12:00:00Z'),
    ];
    await endedCall('2026-02-02T00:00:00Z');
    const path = `/v1/crm-connections/${connectionId}/backfill`;
    const range = { from: '2026-02-01T00:00:00Z', to: '2026-02-02T00:00:00Z' };
    expect(await world.ok('POST', path, withKey(range))).toEqual({ due: 3 });
    const rows: { call_id: string; state: string; priority: number; wanted: number }[] = await world.source.query(
      'select call_id, state, priority, wanted from crm_sync where connection_id = $1 order by call_id',
      [connectionId],
    );
    expect(rows).toEqual(calls.map((call_id) => ({ call_id, state: 'due', priority: 4, wanted: 3 })));
    expect(rows.map(({ call_id }) => call_id)).not.toContain(theirs);
    await world.source.query(`update crm_sync set state = 'done', has = 3 where call_id = $1`, [calls[0]]);
    await world.source.query(`update crm_sync set state = 'failed' where call_id = $1`, [calls[1]]);
    expect(await world.ok('POST', path, withKey(range))).toEqual({ due: 1 });
    expect((await world.request('POST', path, withKey(range, other.key))).status).toBe(404);
  });

  it.each([
    [{ from: '2026-02-02T00:00:00Z', to: '2026-02-01T00:00:00Z' }, 'to'],
    [{ from: '2026-01-01T00:00:00Z', to: '2026-12-01T00:00:00Z' }, 'to'],
    [{ from: '2026-01-01T00:00:00Z' }, 'to'],
  ])('of no time or of too much is refused: %j', async (body, field) => {
    const answer = await world.request('POST', `/v1/crm-connections/${await connect()}/backfill`, withKey(body));
    expect([answer.status, answer.body.field]).toEqual([400, field]);
  });
});

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { blockedNumberSchema } from '../../src/blocked-numbers/blocked-number.schema.js';
import { agentSchema } from '../../src/agents/agent.schema.js';
import { newId } from '../../src/common/ids.js';
import { SecretBox } from '../../src/common/secret-box.js';
import { lineSchema } from '../../src/lines/line.schema.js';
import { pbxNodeSchema } from '../../src/pbx-nodes/pbx-node.schema.js';
import { NODES_CHANGED_CHANNEL, passwordPlace } from '../../src/pbx-nodes/pbx-nodes.service.js';
import { tenantSchema } from '../../src/tenancy/tenant.schema.js';
import { ApiWorld, type TestTenant } from '../support/api-world.js';
import { startDatabaseServer } from '../support/database.js';

let lab: Lab;
let world: ApiWorld;
let databaseUrl: string;
let tenant: TestTenant;
let nodeId: string;

beforeAll(async () => {
  lab = await startDatabaseServer();
  databaseUrl = await lab.postgres.createDatabase();
  world = await ApiWorld.start(databaseUrl);
  tenant = await world.addTenant();
  nodeId = await world.addNode();
});
afterAll(async () => {
  await world?.stop();
  await lab?.stop();
});

const withKey = () => ({ key: tenant.key });
const addAgent = (body: object = {}) =>
  world.ok('POST', '/v1/agents', { ...withKey(), body: { name: 'Alice', ...body } });
const device = (endpoint: string, more: object = {}) => ({ pbxNodeId: nodeId, endpoint, ...more });

async function auditOf(targetId: string): Promise<{ action: string; actor_key_id: string; detail: object }[]> {
  return world.source.query(
    'select action, actor_key_id, detail from audit_entry where target_id = $1 order by at, id',
    [targetId],
  );
}

describe('tenants', () => {
  it('are made with defaults, changed in part and removed', async () => {
    const made = await world.ok('POST', '/v1/tenants', { body: { name: ' Acme ', region: 'US' } });
    expect(tenantSchema.parse(made)).toEqual(made);
    expect(made).toMatchObject({ name: 'Acme', limits: { concurrentCalls: 10, callsPerHour: 500, callSeconds: 7200 } });
    const path = `/v1/tenants/${made.id}`;
    const changed = await world.ok('PATCH', path, { body: { limits: { callsPerHour: 9 } } });
    expect(changed.limits).toEqual({ concurrentCalls: 10, callsPerHour: 9, callSeconds: 7200 });
    expect(await world.ok('GET', path)).toEqual(changed);
    expect((await world.request('DELETE', path)).status).toBe(204);
    expect((await world.request('GET', path)).status).toBe(404);
    expect((await auditOf(made.id)).map(({ action }) => action)).toEqual([
      'tenant.created',
      'tenant.updated',
      'tenant.removed',
    ]);
  });

  it('stay while anything of theirs is left', async () => {
    const own = await world.addTenant();
    const agent = await world.ok('POST', '/v1/agents', { key: own.key, body: { name: 'A' } });
    const refused = await world.request('DELETE', `/v1/tenants/${own.id}`);
    expect(refused).toMatchObject({ status: 409, body: { detail: 'It still has agents; remove them first.' } });
    await world.ok('DELETE', `/v1/agents/${agent.id}`, { key: own.key });
    const node = await world.addNode({ tenantIds: [own.id] });
    expect((await world.request('DELETE', `/v1/tenants/${own.id}`)).body.detail).toContain('still names it');
    await world.ok('DELETE', `/v1/pbx-nodes/${node}`);
    await world.ok('DELETE', `/v1/tenants/${own.id}`);
    expect((await world.request('GET', '/v1/agents', { key: own.key })).status).toBe(401);
  });

  it('come in pages that hold each of them once', async () => {
    for (let made = 0; made < 5; made++)
      await world.ok('POST', '/v1/tenants', { body: { name: `${made}`, region: 'DE' } });
    const all = await world.ok('GET', '/v1/tenants?limit=200');
    expect(all.nextCursor).toBeNull();
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: { items: { id: string }[]; nextCursor: string | null } = await world.ok(
        'GET',
        `/v1/tenants?limit=2${cursor && `&cursor=${cursor}`}`,
      );
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(all.items.map(({ id }: { id: string }) => id));
  });
});

describe('PBX nodes', () => {
  it('never show their password, and keep it sealed to their row', async () => {
    const password = `planted-${newId()}`;
    const name = `pbx-${newId()}`;
    const body = { name, ariUrl: 'https://pbx:8089/ari', username: 'ringline', password };
    const made = await world.ok('POST', '/v1/pbx-nodes', { body });
    expect(pbxNodeSchema.parse(made)).toEqual(made);
    expect(made).toMatchObject({
      app: 'ringline',
      observe: false,
      tenantIds: [],
      defaultTenantId: null,
      celFile: null,
    });
    expect(JSON.stringify([made, await world.ok('GET', `/v1/pbx-nodes/${made.id}`)])).not.toContain(password);
    const [row] = await world.source.query('select password_sealed from pbx_node where id = $1', [made.id]);
    const box = world.app.get(SecretBox);
    expect(box.open(row.password_sealed, passwordPlace(made.id))).toBe(password);
    expect(() => box.open(row.password_sealed, passwordPlace(nodeId))).toThrow();
    await world.ok('PATCH', `/v1/pbx-nodes/${made.id}`, { body: { observe: true } });
    const [same] = await world.source.query('select password_sealed from pbx_node where id = $1', [made.id]);
    expect(same.password_sealed).toBe(row.password_sealed);
    await world.ok('PATCH', `/v1/pbx-nodes/${made.id}`, { body: { password: 'other' } });
    const [other] = await world.source.query('select password_sealed from pbx_node where id = $1', [made.id]);
    expect(box.open(other.password_sealed, passwordPlace(made.id))).toBe('other');
    expect(JSON.stringify(await auditOf(made.id))).not.toContain(password);
  });

  it('are told to the telephony part in the transaction that changes them', async () => {
    const listener = new pg.Client({ connectionString: databaseUrl });
    const told: (string | undefined)[] = [];
    listener.on('notification', ({ payload }) => told.push(payload));
    await listener.connect();
    try {
      await listener.query(`listen ${NODES_CHANGED_CHANNEL}`);
      const id = await world.addNode();
      await world.ok('PATCH', `/v1/pbx-nodes/${id}`, { body: { observe: true } });
      await world.ok('DELETE', `/v1/pbx-nodes/${id}`);
      await waitFor(async () => told.length >= 3 || undefined, { what: 'three notifications', timeoutMs: 5_000 });
      expect(told).toEqual([id, id, id]);
    } finally {
      await listener.end();
    }
  });

  it('answer their health although nothing is connected', async () => {
    const health = await world.ok('GET', `/v1/pbx-nodes/${nodeId}/health`);
    expect(pbxNodeSchema.shape.health.parse(health)).toEqual(health);
    expect(health.status).toBe('down');
    expect(health.summary).not.toBe('');
  });

  it('cannot shut out a tenant that still uses them', async () => {
    const id = await world.addNode();
    const agent = await addAgent({ devices: [{ pbxNodeId: id, endpoint: 'shut-out' }] });
    const other = await world.addTenant();
    const refused = await world.request('PATCH', `/v1/pbx-nodes/${id}`, { body: { tenantIds: [other.id] } });
    expect(refused).toMatchObject({ status: 409, body: { field: 'tenantIds' } });
    expect((await world.request('DELETE', `/v1/pbx-nodes/${id}`)).body.detail).toContain('devices');
    await world.ok('DELETE', `/v1/agents/${agent.id}`, withKey());
    await world.ok('PATCH', `/v1/pbx-nodes/${id}`, { body: { tenantIds: [other.id] } });
    const foreign = await world.request('POST', '/v1/agents', {
      ...withKey(),
      body: { name: 'A', devices: [{ pbxNodeId: id, endpoint: 'x' }] },
    });
    expect(foreign).toMatchObject({ status: 404, body: { field: 'devices.0.pbxNodeId' } });
  });
});

describe('agents', () => {
  it('keep their devices in order, and a device keeps its id', async () => {
    const made = await addAgent({ devices: [device('desk'), device('soft', { autoAnswer: 'call-info' })] });
    expect(agentSchema.parse(made)).toEqual(made);
    expect(made.devices.map(({ endpoint, order }: { endpoint: string; order: number }) => [endpoint, order])).toEqual([
      ['desk', 0],
      ['soft', 1],
    ]);
    const [desk, soft] = made.devices;
    const path = `/v1/agents/${made.id}`;
    const turned = await world.ok('PATCH', path, { ...withKey(), body: { devices: [device('soft'), device('desk')] } });
    expect(turned.devices).toEqual([
      { ...soft, autoAnswer: 'none', order: 0 },
      { ...desk, order: 1 },
    ]);
    const renamed = await world.ok('PATCH', path, {
      ...withKey(),
      body: { devices: [device('mobile', { id: desk.id }), device('soft', { order: 0 })] },
    });
    expect(renamed.devices.map(({ id, endpoint }: { id: string; endpoint: string }) => [id, endpoint])).toEqual([
      [desk.id, 'mobile'],
      [soft.id, 'soft'],
    ]);
    // What was read can be sent back.
    const { devices } = await world.ok('GET', path, withKey());
    expect((await world.ok('PATCH', path, { ...withKey(), body: { devices } })).devices).toEqual(devices);
    expect((await world.ok('PATCH', path, { ...withKey(), body: { name: 'Bob' } })).devices).toEqual(devices);
    expect((await world.ok('GET', '/v1/agents?limit=200', withKey())).items).toContainEqual(
      await world.ok('GET', path, withKey()),
    );
    await world.ok('DELETE', path, withKey());
  });

  it('cannot have the phone of another, also of another tenant', async () => {
    const other = await world.addTenant();
    await addAgent({ devices: [device('taken')] });
    const refused = await world.request('POST', '/v1/agents', {
      key: other.key,
      body: { name: 'Eve', devices: [device('free'), device('taken')] },
    });
    expect(refused).toMatchObject({ status: 409, body: { field: 'devices.1.endpoint' } });
    expect((await world.ok('GET', '/v1/agents', { key: other.key })).items).toEqual([]);
  });
});

describe('outside numbers of agents', () => {
  const mobile = (number: string, more: object = {}) => ({ kind: 'number', number, ...more });

  it('are kept as E.164 beside phones, ask to press 1 unless told, and keep their id', async () => {
    const made = await addAgent({ devices: [device('with-mobile'), mobile('0171 392 00 01')] });
    expect(agentSchema.parse(made)).toEqual(made);
    const [desk, number] = made.devices;
    expect(desk).toMatchObject({ kind: 'sip', endpoint: 'with-mobile', order: 0 });
    expect(number).toEqual({
      id: expect.any(String),
      kind: 'number',
      number: '+491713920001',
      confirm: 'press-1',
      order: 1,
    });
    const path = `/v1/agents/${made.id}`;
    const devices = [mobile('+491713920001', { confirm: 'none' })];
    const changed = await world.ok('PATCH', path, { ...withKey(), body: { devices } });
    expect(changed.devices).toEqual([{ ...number, confirm: 'none', order: 0 }]);
    const again = await world.ok('PATCH', path, { ...withKey(), body: { devices: changed.devices } });
    expect(again.devices).toEqual(changed.devices);
    await world.ok('DELETE', path, withKey());
  });

  it('are one agent’s within a company; another company may have them too', async () => {
    const devices = [mobile('+491713920002')];
    await addAgent({ devices });
    const body = { name: 'Bob', devices };
    expect(await world.request('POST', '/v1/agents', { ...withKey(), body })).toMatchObject({
      status: 409,
      body: { field: 'devices.0.number' },
    });
    const other = await world.addTenant();
    expect((await world.request('POST', '/v1/agents', { key: other.key, body })).status).toBe(201);
  });

  it('may not be on the block list', async () => {
    const blocked = { ...withKey(), body: { pattern: '+4917139200039*' } };
    await world.ok('POST', '/v1/blocked-numbers', blocked);
    const body = { name: 'Bob', devices: [mobile('0171 39200039')] };
    expect(await world.request('POST', '/v1/agents', { ...withKey(), body })).toMatchObject({
      status: 422,
      body: { type: expect.stringMatching(/number-blocked$/), field: 'devices.0.number' },
    });
  });
});

describe('lines', () => {
  it('take the digits of their number as DID, until one is chosen', async () => {
    const agent = await addAgent();
    const body = { pbxNodeId: nodeId, number: '+4930123456', name: 'Sales', target: { agentIds: [agent.id] } };
    const made = await world.ok('POST', '/v1/lines', { ...withKey(), body });
    expect(lineSchema.parse(made)).toEqual(made);
    expect(made).toMatchObject({
      did: '4930123456',
      outbound: null,
      target: { strategy: 'ring-all', ringSeconds: 25 },
    });
    const path = `/v1/lines/${made.id}`;
    const change = (patch: object) => world.ok('PATCH', path, { ...withKey(), body: patch });
    expect((await change({ number: '+4930123457' })).did).toBe('4930123457');
    expect((await change({ did: 'sales' })).did).toBe('sales');
    expect((await change({ number: '+4930123458' })).did).toBe('sales');
    const withTrunk = await change({
      outbound: { endpoint: 'trunk', format: 'e164', prefix: '0' },
      target: { ringSeconds: 40 },
    });
    expect(withTrunk.target).toEqual({ agentIds: [agent.id], strategy: 'ring-all', ringSeconds: 40 });
    expect((await change({ outbound: { format: 'national' } })).outbound).toEqual({
      endpoint: 'trunk',
      format: 'national',
      prefix: '0',
    });
    expect((await change({ outbound: null })).outbound).toBeNull();

    const twice = await world.request('POST', '/v1/lines', { ...withKey(), body: { ...body, did: 'sales' } });
    expect(twice).toMatchObject({ status: 409, body: { field: 'did' } });
    const kept = await world.request('DELETE', `/v1/agents/${agent.id}`, withKey());
    expect(kept).toMatchObject({ status: 409 });
    expect(kept.body.detail).toContain('Sales');
    await world.ok('DELETE', path, withKey());
    await world.ok('DELETE', `/v1/agents/${agent.id}`, withKey());
    const [created] = await auditOf(made.id);
    expect(created).toMatchObject({ action: 'line.created', detail: { name: 'Sales' } });
  });
});

describe('blocked numbers', () => {
  const block = (body: object, key = tenant.key) => world.request('POST', '/v1/blocked-numbers', { key, body });

  it('are a number, all that begin alike, or who shows none; made, changed, removed and audited', async () => {
    const made = (await block({ pattern: '+4930123456', reason: ' pesters us ' })).body;
    expect(blockedNumberSchema.parse(made)).toEqual(made);
    expect(made).toMatchObject({ pattern: '+4930123456', reason: 'pesters us' });
    const path = `/v1/blocked-numbers/${made.id}`;
    const change = (patch: object) => world.ok('PATCH', path, { ...withKey(), body: patch });
    expect(await change({ reason: null })).toEqual({ ...made, reason: null });
    expect(await change({ pattern: '+4930*' })).toEqual({ ...made, reason: null, pattern: '+4930*' });
    expect(await world.ok('GET', path, withKey())).toEqual(await change({}));
    expect((await block({ pattern: 'anonymous' })).body).toMatchObject({ pattern: 'anonymous', reason: null });
    await world.ok('DELETE', path, withKey());
    expect((await world.request('GET', path, withKey())).status).toBe(404);
    const audit = await auditOf(made.id);
    expect(audit.map(({ action, detail }) => [action, detail])).toEqual([
      ['blocked-number.created', { blocks: 'a number' }],
      ['blocked-number.updated', { blocks: 'a number', fields: ['reason'] }],
      ['blocked-number.updated', { blocks: '+4930*', fields: ['pattern'] }],
      ['blocked-number.updated', { blocks: '+4930*', fields: [] }],
      ['blocked-number.removed', { blocks: '+4930*' }],
    ]);
    expect(JSON.stringify(audit)).not.toContain('30123456');
  });

  it('are on a tenant’s list once, and on those of others all the same', async () => {
    const own = await world.addTenant();
    const other = await world.addTenant();
    expect((await block({ pattern: '+49*' }, own.key)).status).toBe(201);
    const twice = await block({ pattern: '+49*' }, own.key);
    expect(twice).toMatchObject({
      status: 409,
      body: { field: 'pattern', detail: 'This pattern is on the block list already.' },
    });
    expect((await block({ pattern: '+49*' }, other.key)).status).toBe(201);
    const { id } = (await block({ pattern: '+48*' }, own.key)).body;
    const changed = await world.request('PATCH', `/v1/blocked-numbers/${id}`, {
      key: own.key,
      body: { pattern: '+49*' },
    });
    expect(changed).toMatchObject({ status: 409, body: { field: 'pattern' } });
  });

  it('come in pages, and go with their tenant', async () => {
    const own = await world.addTenant();
    for (const pattern of ['+1*', '+2*', '+3*']) await block({ pattern }, own.key);
    const page = await world.ok('GET', '/v1/blocked-numbers?limit=2', { key: own.key });
    const rest = await world.ok('GET', `/v1/blocked-numbers?limit=2&cursor=${page.nextCursor}`, { key: own.key });
    const patterns = [...page.items, ...rest.items].map(({ pattern }: { pattern: string }) => pattern);
    expect(patterns).toEqual(['+1*', '+2*', '+3*']);
    expect(rest.nextCursor).toBeNull();
    await world.ok('DELETE', `/v1/tenants/${own.id}`);
    expect(await world.source.query('select 1 from blocked_number where tenant_id = $1', [own.id])).toEqual([]);
  });
});

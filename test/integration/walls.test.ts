import { readFileSync } from 'node:fs';
import type { OpenAPIObject } from '@nestjs/swagger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/start-lab.js';
import { newId } from '../../src/common/ids.js';
import { CallFact } from '../../src/calls/ledger/call-fact.entity.js';
import { CallLeg } from '../../src/calls/ledger/call-leg.entity.js';
import { CallRow } from '../../src/calls/ledger/call.entity.js';
import { scopes, scopesWithoutTenant, type Scope } from '../../src/tenancy/scopes.js';
import { CrmAdapters } from '../../src/crm/adapters/crm-adapters.js';
import { ApiWorld, type TestTenant } from '../support/api-world.js';
import { callDocument } from '../../lab/call-document.js';
import { addRecordedCall } from '../support/recorded-call.js';
import { startDatabaseServer } from '../support/database.js';
import { toyAdapter } from '../support/toy-crm.js';

type Route = { readonly method: string; readonly path: string; readonly scope: Scope | undefined };

/** Every route that there is: openapi.json is compared with the code by a test of its own. */
const document = JSON.parse(readFileSync('openapi.json', 'utf8')) as OpenAPIObject;
const routes: readonly Route[] = Object.entries(document.paths).flatMap(([path, item]) =>
  (['get', 'post', 'patch', 'put', 'delete'] as const).flatMap((method) => {
    const operation = item[method];
    const scope = operation?.security?.find((entry) => 'apiKey' in entry)?.['apiKey']?.[0] as Scope | undefined;
    return operation ? [{ method: method.toUpperCase(), path, scope }] : [];
  }),
);
const guarded = routes.filter((route): route is Route & { scope: Scope } => route.scope !== undefined);
const ofTenants = guarded.filter(({ scope }) => !scopesWithoutTenant.has(scope));
const tenantScopes = scopes.filter((scope) => !scopesWithoutTenant.has(scope));

let lab: Lab;
let world: ApiWorld;
let victim: TestTenant;
let stranger: TestTenant;
/** Ids of the victim's things, by the name of the path's first part. */
let victims: Record<string, string>;
/** Of a recording, by the names in its paths. */
let recordingParts: Record<string, string>;
let keyOf: Record<Scope, string>;

beforeAll(async () => {
  lab = await startDatabaseServer();
  world = await ApiWorld.start(await lab.postgres.createDatabase(), { env: { EGRESS_ALLOW: '127.0.0.0/8' } });
  Object.assign(world.app.get(CrmAdapters, { strict: false }), { list: [toyAdapter] });
  victim = await world.addTenant(tenantScopes);
  stranger = await world.addTenant(tenantScopes);
  const { key } = victim;
  const node = await world.addNode();
  const agent = await world.ok('POST', '/v1/agents', { key, body: { name: 'Alice' } });
  const line = await world.ok('POST', '/v1/lines', {
    key,
    body: { pbxNodeId: node, number: '+4930123456', name: 'Sales', target: { agentIds: [agent.id] } },
  });
  const blocked = await world.ok('POST', '/v1/blocked-numbers', { key, body: { pattern: '+4930999999' } });
  const endpoint = await world.ok('POST', '/v1/webhook-endpoints', { key, body: { url: 'https://example.com/hook' } });
  const connection = await world.ok('POST', '/v1/crm-connections', {
    key,
    body: { adapter: 'toy', name: 'CRM', settings: { url: 'https://example.com', secret: 's' } },
  });
  victims = {
    agents: agent.id,
    lines: line.id,
    'blocked-numbers': blocked.id,
    'webhook-endpoints': endpoint.id,
    calls: await addCall(victim.id, node),
    'stream-tokens': agent.id,
    'crm-connections': connection.id,
  };
  const recorded = await addRecordedCall(world.source, world.dataDir, { tenantId: victim.id, nodeId: node });
  const linked = await world.ok('POST', `/v1/calls/${recorded.callId}/recordings/${recorded.recordingId}/links`, {
    key,
    body: { purpose: 'crm' },
  });
  recordingParts = { id: recorded.callId, rid: recorded.recordingId, linkId: linked.id };
  const made = await Promise.all(
    scopes.map(async (scope) => {
      const tenantId = scopesWithoutTenant.has(scope) ? null : victim.id;
      return [scope, await world.addKey(tenantId, [scope], scope === 'cel:write' ? node : null)] as const;
    }),
  );
  keyOf = Object.fromEntries(made) as Record<Scope, string>;
});
afterAll(async () => {
  await world?.stop();
  await lab?.stop();
});

async function addCall(tenantId: string, pbxNodeId: string): Promise<string> {
  const call = callDocument({ tenantId, pbxNodeId });
  await world.source.manager.insert(CallRow, {
    tenantId,
    id: call.id,
    pbxNodeId,
    boot: 'b',
    direction: call.direction,
    status: call.status,
    outcome: null,
    remoteE164: call.remote.e164,
    agentIds: [],
    startedAt: new Date(call.startedAt),
    endedAt: null,
    version: call.version,
    document: call,
  });
  const leg = { pbxNodeId, boot: 'b', leg: call.id };
  await world.source.manager.insert(CallLeg, { ...leg, tenantId, callId: call.id });
  const asked = { by: 'api', reason: 'cancelled-by-api' };
  const fact = { ...leg, kind: 'cancel-asked', key: '', at: new Date(), source: 'ringline', position: 0, data: asked };
  await world.source.manager.insert(CallFact, fact);
  return call.id;
}

/** The path with ids filled in; a route whose things this file does not know has to be added above. */
function filled(path: string, ids: Record<string, string>): string {
  const [, , kind = ''] = path.split('/');
  return path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => {
    const id = path.includes('/recordings/') ? recordingParts[name] : ids[kind];
    if (id === undefined) throw new Error(`no ${kind} is made for ${path}`);
    return id;
  });
}

async function rows(): Promise<unknown> {
  const tables = [
    'agent',
    'device',
    'line',
    'blocked_number',
    'webhook_endpoint',
    'crm_connection',
    'contact',
    'contact_pick',
    'call',
    'stream_token',
    'call_request',
    'recording',
    'recording_link',
  ];
  return Promise.all(
    tables.map((table) =>
      world.source.query(`select t::text from "${table}" t where tenant_id = $1 order by 1`, [victim.id]),
    ),
  );
}

describe('scopes', () => {
  it('are asked for by every route of /v1 but those that a stream token, a link or a door’s random part opens', () => {
    expect(guarded.length).toBeGreaterThan(20);
    const open = routes.filter(({ path, scope }) => path.startsWith('/v1/') && scope === undefined);
    expect(open.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual([
      'GET /v1/hooks/{connectionId}/{random}',
      'GET /v1/recording-links/{token}',
      'GET /v1/stream',
      'POST /v1/hooks/{connectionId}/{random}',
      'POST /v1/pops/{id}/ack',
    ]);
  });

  it.each(guarded)('$method $path needs a key', async ({ method, path }) => {
    const answer = await world.request(method, path.replaceAll(/\{[^}]+\}/g, newId()), { key: null });
    expect(answer).toMatchObject({ status: 401, body: { type: expect.stringContaining('/unauthorized') as string } });
  });

  it.each(guarded)('$method $path takes no scope but $scope and platform', async ({ method, path, scope }) => {
    const target = path.replaceAll(/\{[^}]+\}/g, newId());
    for (const other of scopes) {
      const { status } = await world.request(method, target, { key: keyOf[other], tenant: victim.id });
      if (other === scope || other === 'platform') expect([other, status]).not.toEqual([other, 403]);
      else expect([other, status]).toEqual([other, 403]);
    }
  });
});

describe('tenants', () => {
  const withIds = ofTenants.filter(({ path }) => path.includes('{'));

  it.each(withIds)(
    '$method $path answers 404 for an id of another tenant, and does nothing',
    async ({ method, path }) => {
      const before = await rows();
      const target = filled(path, victims);
      const asPlatform = { key: ApiWorld.platformKey, tenant: stranger.id };
      for (const who of [{ key: stranger.key }, asPlatform]) {
        const body = method === 'GET' || method === 'DELETE' ? {} : { body: {} };
        const foreign = await world.request(method, target, { ...who, ...body });
        const nobodys = await world.request(method, path.replaceAll(/\{[^}]+\}/g, newId()), { ...who, ...body });
        expect([foreign.status, foreign.body?.type]).toEqual([nobodys.status, nobodys.body?.type]);
        // Where `{}` fits no schema the schema answers first, the same for every id.
        expect([404, 400]).toContain(foreign.status);
        if (method === 'GET' || method === 'DELETE' || method === 'PATCH') expect(foreign.status).toBe(404);
        expect(foreign.text).not.toContain(victim.id);
      }
      expect(await rows()).toEqual(before);
    },
  );

  it.each(withIds.filter(({ method }) => method === 'GET'))(
    '$method $path is there for its own tenant',
    async ({ path }) => {
      const answer = await world.request('GET', filled(path, victims), { key: victim.key });
      expect(answer.status).toBe(200);
    },
  );

  /** The product's, the same for everybody; and what is no list, and has tests of its own. */
  const noLists = ['/v1/crm-adapters', '/v1/contacts/lookup'];

  it.each(ofTenants.filter(({ method, path }) => method === 'GET' && !path.includes('{') && !noLists.includes(path)))(
    '$method $path shows nothing of another tenant',
    async ({ path }) => {
      const own = await world.request('GET', path, { key: victim.key });
      const foreign = await world.request('GET', path, { key: stranger.key });
      expect(own.body.items).not.toEqual([]);
      expect(foreign.body.items).toEqual([]);
    },
  );
});

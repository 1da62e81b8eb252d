import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/start-lab.js';
import { newId } from '../../src/common/ids.js';
import { problems, type ProblemType } from '../../src/common/problems.js';
import { problemSchema } from '../../src/http/problem.schema.js';
import { ApiWorld, type RequestOptions } from '../support/api-world.js';
import { startDatabaseServer } from '../support/database.js';

let lab: Lab;
let world: ApiWorld;
/** What requests of the table may name. */
let known: {
  tenant: string;
  key: string;
  node: string;
  agent: string;
  line: string;
  otherAgent: string;
  otherNode: string;
};

beforeAll(async () => {
  lab = await startDatabaseServer();
  world = await ApiWorld.start(await lab.postgres.createDatabase());
  const { id: tenant, key } = await world.addTenant();
  const other = await world.addTenant();
  const node = await world.addNode({ name: 'known' });
  const otherNode = await world.addNode({ tenantIds: [other.id] });
  const agent = await world.ok('POST', '/v1/agents', { key, body: { name: 'Alice' } });
  const otherAgent = await world.ok('POST', '/v1/agents', { key: other.key, body: { name: 'Bob' } });
  const line = await world.ok('POST', '/v1/lines', {
    key,
    body: { pbxNodeId: node, number: '+4930123456', name: 'Sales', target: { agentIds: [agent.id] } },
  });
  known = { tenant, key, node, agent: agent.id, line: line.id, otherAgent: otherAgent.id, otherNode };
});
afterAll(async () => {
  await world?.stop();
  await lab?.stop();
});

type Row = {
  readonly name: string;
  readonly request: () => [method: string, path: string, options?: RequestOptions];
  readonly type: ProblemType;
  readonly field?: string;
};
type Body = Record<string, unknown>;

const absent = '01936c7e-8b2a-7000-8000-123456789012';
const nul = 'a\u0000b';
const asTenant = (body?: unknown): RequestOptions => ({ key: known.key, ...(body !== undefined && { body }) });
const celLines =
  (lines: unknown): Row['request'] =>
  () => ['POST', `/v1/pbx-nodes/${known.node}/cel`, { body: { lines } }];
const goodTenant = { name: 'Acme', region: 'DE' };
const goodNode = () => ({ name: newId(), ariUrl: 'http://pbx:8088/ari', username: 'u', password: 'p' });
const goodAgent = () => ({ name: 'Alice', devices: [{ pbxNodeId: known.node, endpoint: newId() }] });
const goodLine = () => ({
  pbxNodeId: known.node,
  number: '+4930999999',
  name: 'Sales',
  target: { agentIds: [known.agent] },
});
const post =
  (path: string, body: () => unknown, platform = true) =>
  (): [string, string, RequestOptions] => ['POST', path, platform ? { body: body() } : asTenant(body())];
const tenant = (changes: Body) => post('/v1/tenants', () => ({ ...goodTenant, ...changes }));
const apiKey = (changes: Body) =>
  post('/v1/api-keys', () => ({ name: 'k', scopes: ['config'], tenantId: known.tenant, ...changes }));
const node = (changes: Body) => post('/v1/pbx-nodes', () => ({ ...goodNode(), ...changes }));
const agent = (changes: Body) => post('/v1/agents', () => ({ ...goodAgent(), ...changes }), false);
const device = (changes: () => Body) =>
  post(
    '/v1/agents',
    () => ({ name: 'A', devices: [{ pbxNodeId: known.node, endpoint: newId(), ...changes() }] }),
    false,
  );
const number = (changes: Body) => agent({ devices: [{ kind: 'number', ...changes }] });
const blocked = (changes: Body) => post('/v1/blocked-numbers', () => ({ pattern: '+4930123456', ...changes }), false);
const line = (changes: () => Body) => post('/v1/lines', () => ({ ...goodLine(), ...changes() }), false);

const table: readonly Row[] = [
  // What every route refuses
  { name: 'no key', request: () => ['GET', '/v1/lines', { key: null }], type: 'unauthorized', field: 'Authorization' },
  {
    name: 'an unknown key',
    request: () => ['GET', '/v1/lines', { key: `rl_${'x'.repeat(43)}` }],
    type: 'unauthorized',
  },
  { name: 'a huge key', request: () => ['GET', '/v1/lines', { key: 'x'.repeat(5000) }], type: 'unauthorized' },
  {
    name: 'another scheme',
    request: () => ['GET', '/v1/lines', { key: null, headers: { authorization: 'Basic cmw6cmw=' } }],
    type: 'unauthorized',
  },
  { name: 'a scope the key lacks', request: () => ['GET', '/v1/tenants', asTenant()], type: 'forbidden' },
  {
    name: 'a platform key without a tenant',
    request: () => ['GET', '/v1/lines'],
    type: 'tenant-required',
    field: 'Ringline-Tenant',
  },
  {
    name: 'a platform key with an unknown tenant',
    request: () => ['GET', '/v1/lines', { tenant: absent }],
    type: 'not-found',
    field: 'Ringline-Tenant',
  },
  { name: 'a tenant that is no id', request: () => ['GET', '/v1/lines', { tenant: "' or 1=1" }], type: 'not-found' },
  {
    name: 'another tenant than the key’s',
    request: () => ['GET', '/v1/lines', { ...asTenant(), tenant: absent }],
    type: 'not-found',
  },
  { name: 'an unknown route', request: () => ['GET', '/v1/nothing'], type: 'not-found' },
  { name: 'a method the path lacks', request: () => ['PUT', '/v1/tenants', { body: {} }], type: 'method-not-allowed' },
  { name: 'a path that is not encoded right', request: () => ['GET', '/v1/tenants/%ff'], type: 'invalid-request' },
  { name: 'an id that is no UUID', request: () => ['GET', '/v1/tenants/7'], type: 'invalid-request' },
  { name: 'broken JSON', request: () => ['POST', '/v1/tenants', { body: '{"name":' }], type: 'invalid-request' },
  {
    name: 'JSON that is no object',
    request: () => ['POST', '/v1/tenants', { body: '"text"' }],
    type: 'invalid-request',
  },
  { name: 'a list', request: () => ['POST', '/v1/tenants', { body: [] }], type: 'invalid-request' },
  { name: 'null', request: () => ['POST', '/v1/tenants', { body: 'null' }], type: 'invalid-request' },
  { name: 'no body', request: () => ['POST', '/v1/tenants'], type: 'invalid-request' },
  {
    name: 'a body that is not JSON',
    request: () => [
      'POST',
      '/v1/tenants',
      { body: 'name=A', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    ],
    type: 'unsupported-media-type',
    field: 'Content-Type',
  },
  {
    name: 'another character set',
    request: () => [
      'POST',
      '/v1/tenants',
      { body: '{}', headers: { 'content-type': 'application/json; charset=iso-8859-1' } },
    ],
    type: 'unsupported-media-type',
  },
  { name: 'a body of 1 MB', request: tenant({ name: 'x'.repeat(1_000_000) }), type: 'body-too-large' },
  { name: 'a body just too large', request: tenant({ name: 'x'.repeat(65_536) }), type: 'body-too-large' },
  {
    name: 'thousands of brackets',
    request: () => ['POST', '/v1/tenants', { body: `${'['.repeat(30_000)}${']'.repeat(30_000)}` }],
    type: 'invalid-request',
  },
  { name: 'NUL in a text', request: tenant({ name: nul }), type: 'invalid-request', field: 'name' },
  { name: 'half a character', request: tenant({ name: '\ud800' }), type: 'invalid-request', field: 'name' },
  {
    name: 'NUL in a query',
    request: () => ['GET', '/v1/tenants?cursor=%00'],
    type: 'invalid-request',
    field: 'cursor',
  },
  {
    name: 'a prototype',
    request: () => ['POST', '/v1/tenants', { body: '{"name":"A","region":"DE","constructor":{}}' }],
    type: 'invalid-request',
    field: 'constructor',
  },
  { name: 'limit 0', request: () => ['GET', '/v1/tenants?limit=0'], type: 'invalid-request', field: 'limit' },
  { name: 'limit 201', request: () => ['GET', '/v1/tenants?limit=201'], type: 'invalid-request', field: 'limit' },
  { name: 'limit as a word', request: () => ['GET', '/v1/tenants?limit=all'], type: 'invalid-request', field: 'limit' },
  {
    name: 'limit twice',
    request: () => ['GET', '/v1/tenants?limit=1&limit=2'],
    type: 'invalid-request',
    field: 'limit',
  },
  {
    name: 'a made-up cursor',
    request: () => ['GET', '/v1/tenants?cursor=abc'],
    type: 'invalid-request',
    field: 'cursor',
  },
  {
    name: 'a query nobody knows',
    request: () => ['GET', '/v1/tenants?offset=1'],
    type: 'invalid-request',
    field: 'offset',
  },

  // Lines of a log
  { name: 'no lines', request: celLines([]), type: 'invalid-request', field: 'lines' },
  { name: 'more than 1,000 lines', request: celLines(Array(1_001).fill('x')), type: 'invalid-request', field: 'lines' },
  { name: 'a line that is a number', request: celLines([7]), type: 'invalid-request', field: 'lines.0' },
  { name: 'a line without end', request: celLines(['x'.repeat(20_001)]), type: 'invalid-request', field: 'lines.0' },
  { name: 'lines as text', request: celLines('x'), type: 'invalid-request', field: 'lines' },
  { name: 'more than 1 MB of lines', request: celLines(Array(100).fill('x'.repeat(11_000))), type: 'body-too-large' },
  {
    name: 'lines of a node that is not there',
    request: () => ['POST', `/v1/pbx-nodes/${absent}/cel`, { body: { lines: ['x'] } }],
    type: 'not-found',
    field: 'id',
  },
  { name: 'lines of a node that is not connected', request: celLines(['x']), type: 'cel-not-taken' },

  // Tenants
  { name: 'a tenant without a name', request: tenant({ name: undefined }), type: 'invalid-request', field: 'name' },
  { name: 'an empty name', request: tenant({ name: '  ' }), type: 'invalid-request', field: 'name' },
  { name: 'a name of two lines', request: tenant({ name: 'a\nb' }), type: 'invalid-request', field: 'name' },
  {
    name: 'a name of 201 characters',
    request: tenant({ name: 'x'.repeat(201) }),
    type: 'invalid-request',
    field: 'name',
  },
  { name: 'a number as name', request: tenant({ name: 7 }), type: 'invalid-request', field: 'name' },
  { name: 'an unknown field', request: tenant({ nmae: 'x' }), type: 'invalid-request', field: 'nmae' },
  { name: 'an id of one’s own', request: tenant({ id: absent }), type: 'invalid-request', field: 'id' },
  { name: 'a region that is none', request: tenant({ region: 'XX' }), type: 'invalid-request', field: 'region' },
  { name: 'a region in small letters', request: tenant({ region: 'de' }), type: 'invalid-request', field: 'region' },
  {
    name: 'a limit that is text',
    request: tenant({ limits: { callsPerHour: '9' } }),
    type: 'invalid-request',
    field: 'limits.callsPerHour',
  },
  {
    name: 'an unknown limit',
    request: tenant({ limits: { calls: 9 } }),
    type: 'invalid-request',
    field: 'limits.calls',
  },
  {
    name: 'a dial rule for a country that is none',
    request: tenant({ dialRules: { countries: ['DE', 'XX'] } }),
    type: 'invalid-request',
    field: 'dialRules.countries.1',
  },
  { name: 'an unknown tenant', request: () => ['GET', `/v1/tenants/${absent}`], type: 'not-found', field: 'id' },
  {
    name: 'a change of an unknown tenant',
    request: () => ['PATCH', `/v1/tenants/${absent}`, { body: {} }],
    type: 'not-found',
  },
  {
    name: 'a name changed to null',
    request: () => ['PATCH', `/v1/tenants/${known.tenant}`, { body: { name: null } }],
    type: 'invalid-request',
    field: 'name',
  },
  {
    name: 'an unknown field in a change',
    request: () => ['PATCH', `/v1/tenants/${known.tenant}`, { body: { x: 1 } }],
    type: 'invalid-request',
    field: 'x',
  },
  {
    name: 'the removal of a tenant that is used',
    request: () => ['DELETE', `/v1/tenants/${known.tenant}`],
    type: 'conflict',
  },

  // API keys
  { name: 'a key without scopes', request: apiKey({ scopes: [] }), type: 'invalid-request', field: 'scopes' },
  { name: 'an unknown scope', request: apiKey({ scopes: ['root'] }), type: 'invalid-request', field: 'scopes.0' },
  {
    name: 'a scope twice',
    request: apiKey({ scopes: ['config', 'config'] }),
    type: 'invalid-request',
    field: 'scopes',
  },
  {
    name: 'a tenant’s key with platform',
    request: apiKey({ scopes: ['platform'] }),
    type: 'invalid-request',
    field: 'scopes',
  },
  {
    name: 'a key of no tenant without platform',
    request: apiKey({ tenantId: null }),
    type: 'invalid-request',
    field: 'tenantId',
  },
  { name: 'a key of an unknown tenant', request: apiKey({ tenantId: absent }), type: 'not-found', field: 'tenantId' },
  {
    name: 'a secret of one’s own',
    request: apiKey({ secret: 'x'.repeat(40) }),
    type: 'invalid-request',
    field: 'secret',
  },
  { name: 'an unknown API key', request: () => ['DELETE', `/v1/api-keys/${absent}`], type: 'not-found' },

  // PBX nodes
  { name: 'a node whose name is taken', request: node({ name: 'known' }), type: 'conflict', field: 'name' },
  { name: 'an ftp URL', request: node({ ariUrl: 'ftp://pbx/ari' }), type: 'invalid-request', field: 'ariUrl' },
  { name: 'a file URL', request: node({ ariUrl: 'file:///etc/passwd' }), type: 'invalid-request', field: 'ariUrl' },
  {
    name: 'a URL with a password',
    request: node({ ariUrl: 'http://u:p@pbx/ari' }),
    type: 'invalid-request',
    field: 'ariUrl',
  },
  {
    name: 'a URL with a query',
    request: node({ ariUrl: 'http://pbx/ari?x=1' }),
    type: 'invalid-request',
    field: 'ariUrl',
  },
  { name: 'no URL', request: node({ ariUrl: 'pbx' }), type: 'invalid-request', field: 'ariUrl' },
  { name: 'no password', request: node({ password: undefined }), type: 'invalid-request', field: 'password' },
  { name: 'an app with a comma', request: node({ app: 'a,b' }), type: 'invalid-request', field: 'app' },
  ...['cel.csv', './cel.csv', '/', '/var/log/', '/var/../etc/cel.csv', '/var/log/a\nb', '', `/${'x'.repeat(500)}`].map(
    (celFile): Row => ({
      name: `the log file ${JSON.stringify(celFile.slice(0, 20))}`,
      request: node({ celFile }),
      type: 'invalid-request',
      field: 'celFile',
    }),
  ),
  { name: 'observe as text', request: node({ observe: 'yes' }), type: 'invalid-request', field: 'observe' },
  {
    name: 'a node for an unknown tenant',
    request: node({ tenantIds: [absent] }),
    type: 'not-found',
    field: 'tenantIds.0',
  },
  {
    name: 'an unknown default tenant',
    request: node({ defaultTenantId: absent }),
    type: 'not-found',
    field: 'defaultTenantId',
  },
  {
    name: 'a default tenant that may not use the node',
    request: post('/v1/pbx-nodes', () => ({ ...goodNode(), tenantIds: [known.tenant], defaultTenantId: absent })),
    type: 'invalid-request',
    field: 'defaultTenantId',
  },
  { name: 'health sent along', request: node({ health: {} }), type: 'invalid-request', field: 'health' },
  {
    name: 'the health of an unknown node',
    request: () => ['GET', `/v1/pbx-nodes/${absent}/health`],
    type: 'not-found',
  },
  {
    name: 'the removal of a node that is used',
    request: () => ['DELETE', `/v1/pbx-nodes/${known.node}`],
    type: 'conflict',
  },

  // Agents
  {
    name: 'an e-mail address that is none',
    request: agent({ email: 'alice' }),
    type: 'invalid-request',
    field: 'email',
  },
  { name: 'devices that are no list', request: agent({ devices: {} }), type: 'invalid-request', field: 'devices' },
  {
    name: 'a CRM user under a name',
    request: agent({ crmUsers: { hubspot: '1' } }),
    type: 'invalid-request',
    field: 'crmUsers.hubspot',
  },
  {
    name: 'a device with a dial string',
    request: device(() => ({ endpoint: 'a&SIP/1' })),
    type: 'invalid-request',
    field: 'devices.0.endpoint',
  },
  {
    name: 'a device with a variable',
    request: device(() => ({ endpoint: '${EXTEN}' })),
    type: 'invalid-request',
    field: 'devices.0.endpoint',
  },
  {
    name: 'a device of another technology',
    request: device(() => ({ kind: 'iax2' })),
    type: 'invalid-request',
    field: 'devices.0.kind',
  },
  {
    name: 'a device of an unknown node',
    request: device(() => ({ pbxNodeId: absent })),
    type: 'not-found',
    field: 'devices.0.pbxNodeId',
  },
  {
    name: 'a device on a node of others',
    request: device(() => ({ pbxNodeId: known.otherNode })),
    type: 'not-found',
    field: 'devices.0.pbxNodeId',
  },
  {
    name: 'a device id that is not the agent’s',
    request: device(() => ({ id: absent })),
    type: 'not-found',
    field: 'devices.0.id',
  },
  {
    name: 'one device twice',
    request: post(
      '/v1/agents',
      () => ({ name: 'A', devices: [1, 2].map(() => ({ pbxNodeId: known.node, endpoint: 'x' })) }),
      false,
    ),
    type: 'invalid-request',
    field: 'devices.1.endpoint',
  },
  {
    name: 'an outside number that is none',
    request: number({ number: '+4917139' }),
    type: 'invalid-number',
    field: 'devices.0.number',
  },
  {
    name: 'an outside number in text',
    request: number({ number: 'my mobile' }),
    type: 'invalid-number',
    field: 'devices.0.number',
  },
  {
    name: 'a premium number as a device',
    request: number({ number: '+499001234567' }),
    type: 'number-blocked',
    field: 'devices.0.number',
  },
  {
    name: 'an emergency number as a device',
    request: number({ number: '112' }),
    type: 'number-blocked',
    field: 'devices.0.number',
  },
  {
    name: 'an outside number abroad',
    request: number({ number: '+14155550123' }),
    type: 'number-blocked',
    field: 'devices.0.number',
  },
  {
    name: 'an outside number with an endpoint',
    request: number({ number: '0171 3920001', endpoint: 'x' }),
    type: 'invalid-request',
    field: 'devices.0.endpoint',
  },
  {
    name: 'an outside number that is confirmed in another way',
    request: number({ number: '0171 3920001', confirm: 'press-2' }),
    type: 'invalid-request',
    field: 'devices.0.confirm',
  },
  {
    name: 'one outside number twice, written in two ways',
    request: agent({ devices: ['0171 3920001', '+491713920001'].map((text) => ({ kind: 'number', number: text })) }),
    type: 'conflict',
    field: 'devices.1.number',
  },
  {
    name: 'an agent of another tenant',
    request: () => ['GET', `/v1/agents/${known.otherAgent}`, asTenant()],
    type: 'not-found',
  },
  {
    name: 'the removal of an agent that a line rings',
    request: () => ['DELETE', `/v1/agents/${known.agent}`, asTenant()],
    type: 'conflict',
  },

  // Lines
  {
    name: 'a number that is not E.164',
    request: line(() => ({ number: '030 123456' })),
    type: 'invalid-request',
    field: 'number',
  },
  {
    name: 'a number of letters',
    request: line(() => ({ number: '+49CALLME' })),
    type: 'invalid-request',
    field: 'number',
  },
  {
    name: 'a number too short for its country',
    request: line(() => ({ number: '+1415555' })),
    type: 'invalid-request',
    field: 'number',
  },
  {
    name: 'a country code that is none',
    request: line(() => ({ number: '+999123456789' })),
    type: 'invalid-request',
    field: 'number',
  },
  { name: 'a DID that is taken', request: line(() => ({ did: '4930123456' })), type: 'conflict', field: 'did' },
  { name: 'a DID with a space', request: line(() => ({ did: '49 30' })), type: 'invalid-request', field: 'did' },
  {
    name: 'a line without agents',
    request: line(() => ({ target: { agentIds: [] } })),
    type: 'invalid-request',
    field: 'target.agentIds',
  },
  {
    name: 'a line with an agent twice',
    request: line(() => ({ target: { agentIds: [known.agent, known.agent] } })),
    type: 'invalid-request',
    field: 'target.agentIds',
  },
  {
    name: 'a line with an unknown agent',
    request: line(() => ({ target: { agentIds: [known.agent, absent] } })),
    type: 'not-found',
    field: 'target.agentIds.1',
  },
  {
    name: 'a line with an agent of others',
    request: line(() => ({ target: { agentIds: [known.otherAgent] } })),
    type: 'not-found',
    field: 'target.agentIds.0',
  },
  {
    name: 'a line on a node of others',
    request: line(() => ({ pbxNodeId: known.otherNode })),
    type: 'not-found',
    field: 'pbxNodeId',
  },
  {
    name: 'ringing for 4 s',
    request: line(() => ({ target: { agentIds: [known.agent], ringSeconds: 4 } })),
    type: 'invalid-request',
    field: 'target.ringSeconds',
  },
  {
    name: 'ringing for 121 s',
    request: line(() => ({ target: { agentIds: [known.agent], ringSeconds: 121 } })),
    type: 'invalid-request',
    field: 'target.ringSeconds',
  },
  {
    name: 'an unknown strategy',
    request: line(() => ({ target: { agentIds: [known.agent], strategy: 'random' } })),
    type: 'invalid-request',
    field: 'target.strategy',
  },
  {
    name: 'a trunk with a slash',
    request: line(() => ({ outbound: { endpoint: 'a/b', format: 'e164' } })),
    type: 'invalid-request',
    field: 'outbound.endpoint',
  },
  {
    name: 'a trunk without a format',
    request: line(() => ({ outbound: { endpoint: 'trunk' } })),
    type: 'invalid-request',
    field: 'outbound.format',
  },
  {
    name: 'half a trunk for a line that has none',
    request: () => ['PATCH', `/v1/lines/${known.line}`, asTenant({ outbound: { format: 'e164' } })],
    type: 'invalid-request',
    field: 'outbound.endpoint',
  },
  {
    name: 'a line pointed at an agent of others',
    request: () => ['PATCH', `/v1/lines/${known.line}`, asTenant({ target: { agentIds: [known.otherAgent] } })],
    type: 'not-found',
    field: 'target.agentIds.0',
  },

  // Replays of queues
  {
    name: 'a replay of a queue nobody fills',
    request: post('/v1/event-queue-replays', () => ({ queue: 'nobodys', from: '2026-01-01T00:00:00Z' })),
    type: 'not-found',
    field: 'queue',
  },
  {
    name: 'a replay since some day',
    request: post('/v1/event-queue-replays', () => ({ queue: 'call-events', from: 'monday' })),
    type: 'invalid-request',
    field: 'from',
  },
  {
    name: 'a replay by a tenant’s key',
    request: post('/v1/event-queue-replays', () => ({ queue: 'call-events', from: '2026-01-01T00:00:00Z' }), false),
    type: 'forbidden',
  },

  // Blocked numbers
  ...[
    '',
    '*',
    '+*',
    '+',
    '030123456',
    '4930123456',
    '+49 30 123456',
    '+49*30',
    '+4930123456**',
    '+4930123456\n',
    '+0123456789',
    'Anonymous',
    'anonymous*',
    '+4930123456789012345',
    '+1415555',
    '+999123456789',
    '+49030123456',
    nul,
  ].map((pattern): Row => ({
    name: `a block on ${JSON.stringify(pattern)}`,
    request: blocked({ pattern }),
    type: 'invalid-request',
    field: 'pattern',
  })),
  { name: 'a block on nobody', request: blocked({ pattern: undefined }), type: 'invalid-request', field: 'pattern' },
  { name: 'a block for no words', request: blocked({ reason: ' ' }), type: 'invalid-request', field: 'reason' },
  {
    name: 'a block for too many words',
    request: blocked({ reason: 'x'.repeat(201) }),
    type: 'invalid-request',
    field: 'reason',
  },
  {
    name: 'a block that is over at some time',
    request: blocked({ until: '2030-01-01' }),
    type: 'invalid-request',
    field: 'until',
  },
  {
    name: 'an unknown block',
    request: () => ['DELETE', `/v1/blocked-numbers/${absent}`, asTenant()],
    type: 'not-found',
  },
];

describe('bad input', () => {
  it.each(table)('$name: $type', async ({ request, type, field }) => {
    const answer = await world.request(...request());
    expect({ status: answer.status, type: answer.body?.type, field: answer.body?.field }).toEqual({
      status: problems[type].status,
      type: `http://ringline.test/problems/${type}`,
      field: field ?? answer.body?.field,
    });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.headers.get('x-request-id')).toBe(answer.body.requestId);
    expect(problemSchema.parse(answer.body).detail).toMatch(/\.$/);
  });

  it('is refused in one way only for each row, so that no row hides another', () => {
    const names = table.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('leaves nothing behind', async () => {
    const { items: tenants } = await world.ok('GET', '/v1/tenants');
    const { items: agents } = await world.ok('GET', '/v1/agents', asTenant());
    const { items: lines } = await world.ok('GET', '/v1/lines', asTenant());
    expect([tenants.length, agents.length, lines.length]).toEqual([2, 1, 1]);
  });

  it('tells which methods a path has', async () => {
    const answer = await world.request('DELETE', '/v1/tenants');
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, POST');
  });

  it('tells how to authenticate', async () => {
    const answer = await world.request('GET', '/v1/lines', { key: null });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="ringline"');
  });

  it('does not take a dangerous request id into header and log', async () => {
    const taken = await world.request('GET', '/health/live', { headers: { 'x-request-id': 'abc-123' } });
    expect(taken.headers.get('x-request-id')).toBe('abc-123');
    const refused = await world.request('GET', '/health/live', { headers: { 'x-request-id': 'a b\tc' } });
    expect(refused.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('cannot pass as chunks what is too large as a whole', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sent = httpRequest(`${world.url}/v1/tenants`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${ApiWorld.platformKey}` },
      });
      sent.on('response', (response) => resolve(response.resume().statusCode));
      sent.on('error', reject);
      for (let chunk = 0; chunk < 100; chunk++) sent.write(' '.repeat(1000));
      sent.end('{}');
    });
    expect(status).toBe(413);
  });
});

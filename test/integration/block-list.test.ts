import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/start-lab.js';
import { LineRouting } from '../../src/calls/line-routing.js';
import { ApiWorld, type TestTenant } from '../support/api-world.js';
import { startDatabaseServer } from '../support/database.js';

let lab: Lab;
let world: ApiWorld;
let nodeId: string;
let routing: LineRouting;
let acme: TestTenant;
let others: TestTenant;

beforeAll(async () => {
  lab = await startDatabaseServer();
  world = await ApiWorld.start(await lab.postgres.createDatabase());
  nodeId = await world.addNode();
  routing = new LineRouting(world.source);
  acme = await addCompany('+4930901820', 'agent1');
  others = await addCompany('+4930901821', 'agent2');
});
afterAll(async () => {
  await world?.stop();
  await lab?.stop();
});

async function addCompany(number: string, endpoint: string): Promise<TestTenant> {
  const company = await world.addTenant();
  const { key } = company;
  const devices = [{ pbxNodeId: nodeId, endpoint }];
  const agent = await world.ok('POST', '/v1/agents', { key, body: { name: 'Alice', devices } });
  const target = { agentIds: [agent.id] };
  await world.ok('POST', '/v1/lines', { key, body: { pbxNodeId: nodeId, number, name: 'Sales', target } });
  return company;
}

/** What blocks each of these callers of Acme's line. */
async function blocking(...callers: readonly string[]): Promise<(string | null | undefined)[]> {
  const routes = await routing.routes(callers.map((caller) => call('4930901820', caller)));
  for (const route of routes) expect(route?.phones.length).toBe(route?.blockedBy === null ? 1 : 0);
  return routes.map((route) => route?.blockedBy);
}

const call = (did: string, callerNumber: string) => ({ nodeId, did, callerNumber, callerName: '' });

async function blocked<T>(patterns: readonly string[], look: () => Promise<T>): Promise<T> {
  const { key } = acme;
  const made = await Promise.all(
    patterns.map((pattern) => world.ok('POST', '/v1/blocked-numbers', { key, body: { pattern } })),
  );
  try {
    return await look();
  } finally {
    for (const { id } of made) await world.ok('DELETE', `/v1/blocked-numbers/${id}`, { key });
  }
}

describe('a block list', () => {
  it('means a number however it was sent, and no other', async () => {
    const forms = ['+4930123456', '030123456', '4930123456', '004930123456', '030 123456', '+4930123456;ext=5'];
    const not = ['+49301234567', '+4930123455', '030 12345', '1001', '', 'anonymous'];
    const found = await blocked(['+4930123456'], () => blocking(...forms, ...not));
    expect(found).toEqual([...forms.map(() => '+4930123456'), ...not.map(() => null)]);
  });

  it('means all that begin alike, and tells the most exact entry', async () => {
    const callers = ['030123456', '030 123457', '0301111111', '040123456', '+14155550123', '+15125550123'];
    const found = await blocked(['+4930*', '+493012*', '+4930123456', '+1415*'], () => blocking(...callers));
    expect(found).toEqual(['+4930123456', '+493012*', '+4930*', null, '+1415*', null]);
  });

  it('means who shows no number, and nobody whose number could not be read', async () => {
    const found = await blocked(['anonymous'], () =>
      blocking('', 'anonymous', 'Unavailable', 'asterisk', '030123456', '1001', 'alice', '*97'),
    );
    expect(found).toEqual(['anonymous', 'anonymous', 'anonymous', 'anonymous', null, null, null, null]);
  });

  it('holds for its tenant alone, also in one look-up', async () => {
    const routes = await blocked(['+4930123456'], () =>
      routing.routes([call('4930901821', '030123456'), call('4930901820', '030123456'), call('1', '030123456')]),
    );
    expect(routes.map((route) => route && [route.tenantId, route.blockedBy])).toEqual([
      [others.id, null],
      [acme.id, '+4930123456'],
      null,
    ]);
  });

  it('holds from the next caller on, and no longer than it is there', async () => {
    expect(await blocking('030123456')).toEqual([null]);
    expect(await blocked(['+49*'], () => blocking('030123456'))).toEqual(['+49*']);
    expect(await blocking('030123456')).toEqual([null]);
  });
});

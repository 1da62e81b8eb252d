import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Registry } from 'prom-client';
import { Rolodex, rolodexAdapter } from '../../lab/crm/rolodex.js';
import type { Lab } from '../../lab/start-lab.js';
import { LineRouting } from '../../src/calls/line-routing.js';
import type { Route } from '../../src/calls/routing.js';
import { createLog } from '../../src/common/logger.js';
import { ContactIndex } from '../../src/contacts/contact-index.js';
import { CrmAdapters } from '../../src/crm/adapters/crm-adapters.js';
import { ContactOwners } from '../../src/call-contacts/contact-owners.js';
import { ApiWorld, type TestTenant } from '../support/api-world.js';
import { startDatabaseServer } from '../support/database.js';

let lab: Lab;
let world: ApiWorld;
let crm: Rolodex;
let nodeId: string;
let index: ContactIndex;
let tenant: TestTenant;
let did: string;
let agents: string[];
let dids = 0;

beforeAll(async () => {
  lab = await startDatabaseServer();
  crm = await Rolodex.start();
  world = await ApiWorld.start(await lab.postgres.createDatabase(), { env: { EGRESS_ALLOW: '127.0.0.0/8' } });
  Object.assign(world.app.get(CrmAdapters, { strict: false }), { list: [rolodexAdapter] });
  nodeId = await world.addNode();
  index = new ContactIndex(world.source);
});
afterAll(async () => {
  await world?.stop();
  await crm?.stop();
  await lab?.stop();
});

/** A tenant whose line rings the first two of three agents. */
beforeEach(async () => {
  tenant = await world.addTenant();
  dids += 1;
  did = `+49309018${String(dids).padStart(3, '0')}`;
  agents = [];
  for (const name of ['Alice', 'Bob', 'Carol']) {
    const devices = [{ pbxNodeId: nodeId, endpoint: `${name.toLowerCase()}-${dids}01` }];
    const body = { name, email: `${name}@acme.example`, devices };
    agents.push((await world.ok('POST', '/v1/agents', { key: tenant.key, body })).id);
  }
  const target = { agentIds: agents.slice(0, 2), ringSeconds: 16 };
  const body = { pbxNodeId: nodeId, number: did, name: 'Sales', target };
  await world.ok('POST', '/v1/lines', { key: tenant.key, body });
});

/** A CRM that has +4930123456, whose owner there is given. */
async function connect(rules: object, ownerId: string | null = 'u7', numbers = ['+4930123456']): Promise<string> {
  const body = { adapter: 'rolodex', name: 'Cards', settings: { url: crm.url }, rules };
  const { id } = await world.ok('POST', '/v1/crm-connections', { key: tenant.key, body });
  const card = { type: 'card', id: 'c1', kind: 'contact', name: 'Dave', company: null, url: null } as const;
  await index.upsertContacts({ tenantId: tenant.id, id }, [{ ...card, ownerId, numbers }]);
  return id;
}

async function route(callerNumber: string, budgetMs?: number): Promise<Route> {
  const log = createLog('error', { write: () => undefined });
  const owners = new ContactOwners(world.source, index, { registry: new Registry() }, log, budgetMs);
  const routing = new LineRouting(world.source, owners);
  // Together with another's line, whose owner is nobody's business here.
  const wanted = { nodeId, did: did.slice(1), callerName: '' };
  const [found] = await routing.routes([
    { ...wanted, callerNumber },
    { ...wanted, callerNumber: 'anonymous' },
  ]);
  return found as Route;
}
const rung = ({ phones }: Route): readonly string[] => phones.map(({ agentId }) => agentId);

describe('the owner of a caller', () => {
  it('rings alone for half of the line’s time, before the line’s agents', async () => {
    await connect({ ownerRouting: true, users: { map: { [agents[1]!]: 'u7' } } });
    const found = await route('030123456');
    expect(found.first).toEqual({ agentId: agents[1], seconds: 8 });
    expect(rung(found)).toEqual(agents.slice(0, 2));
  });

  it('rings first also where the line does not ring him', async () => {
    await connect({ ownerRouting: true, users: { map: { [agents[2]!]: 'u7' } } });
    const found = await route('+4930123456');
    expect(found.first).toEqual({ agentId: agents[2], seconds: 8 });
    expect(rung(found)).toEqual(agents);
  });

  it('is found by e-mail among the users that the CRM listed', async () => {
    const id = await connect({ ownerRouting: true });
    await world.source.query(
      `insert into crm_user (tenant_id, connection_id, id, name, email, extension, is_active)
       values ($1, $2, 'u7', 'Carol', 'CAROL@acme.example', null, true)`,
      [tenant.id, id],
    );
    expect((await route('+4930123456')).first?.agentId).toBe(agents[2]);
  });

  const users = (): object => ({ map: { [agents[1]!]: 'u7' } });
  it.each([
    ['where no rule wants it', () => connect({ users: users() }), '+4930123456'],
    ['of a contact who has none', () => connect({ ownerRouting: true, users: users() }, null), '+4930123456'],
    ['of a number that nobody has', () => connect({ ownerRouting: true, users: users() }), '+4930123457'],
    [
      'of a number that merely ends alike',
      () => connect({ ownerRouting: true, users: users() }, 'u7', ['0123456']),
      '+4930123456',
    ],
    ['who hides his number', () => connect({ ownerRouting: true, users: users() }), 'anonymous'],
    ['who is no agent', () => connect({ ownerRouting: true, users: users() }, 'u8'), '+4930123456'],
    [
      'whom two agents could be',
      () => connect({ ownerRouting: true, users: { map: { [agents[0]!]: 'u7', [agents[1]!]: 'u7' } } }),
      '+4930123456',
    ],
  ] as const)('rings nobody first %s', async (_what, connected, caller) => {
    await connected();
    const found = await route(caller);
    expect(found.first).toBeUndefined();
    expect(rung(found)).toEqual(agents.slice(0, 2));
  });

  it('rings nobody first who cannot ring', async () => {
    await connect({ ownerRouting: true, users: { map: { [agents[2]!]: 'u7' } } });
    await world.source.query('delete from device where tenant_id = $1 and agent_id = $2', [tenant.id, agents[2]]);
    expect((await route('+4930123456')).first).toBeUndefined();
  });

  it('is not waited for: all ring at once', async () => {
    await connect({ ownerRouting: true, users: users() });
    await world.source.transaction(async (manager) => {
      await manager.query('lock table contact in access exclusive mode');
      const found = await route('+4930123456', 50);
      expect(found.first).toBeUndefined();
      expect(rung(found)).toEqual(agents.slice(0, 2));
    });
  });
});

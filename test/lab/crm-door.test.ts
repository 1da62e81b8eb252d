import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { foundCompany, type Company } from '../../lab/company.js';
import type { Phone } from '../../lab/sipp.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';
import { CrmAdapters } from '../../src/crm/adapters/crm-adapters.js';
import { ApiWorld } from '../support/api-world.js';
import { knock, SECRET, startToyCrm, toyAdapter } from '../support/toy-crm.js';

let lab: Lab;
let world: ApiWorld;
let crm: Awaited<ReturnType<typeof startToyCrm>>;
let company: Company;
let carrier: Phone;
let agent: Phone;
let database: pg.Client;
let doorUrl: string;
let connectionId: string;

beforeAll(async () => {
  lab = await startLab();
  crm = await startToyCrm();
  const databaseUrl = await lab.postgres.createDatabase();
  const env = { EGRESS_ALLOW: '127.0.0.0/8', REDIS_URL: lab.redis.url };
  // In this process, so that it can be given an adapter that no product has.
  world = await ApiWorld.start(databaseUrl, { env });
  Object.assign(world.app.get(CrmAdapters, { strict: false }), { list: [toyAdapter] });
  company = await foundCompany(lab, {
    ready: () => world.ready(),
    call: (method, path, { tenantId, body, headers } = {}) =>
      world.request(method, path, {
        ...(tenantId !== undefined && { tenant: tenantId }),
        ...(body !== undefined && { body }),
        ...(headers !== undefined && { headers }),
      }),
  });
  const connection = await company.call('POST', '/v1/crm-connections', {
    body: {
      adapter: 'toy',
      name: 'Toy',
      settings: { url: crm.server.url, secret: SECRET },
      rules: { users: { map: { [company.agentIds[0] ?? '']: '7' } } },
    },
  });
  connectionId = connection.body.id;
  doorUrl = connection.body.doorUrl.replace('http://ringline.test', world.url);
  agent = await lab.sipp.phone({ register: ['agent1'], ringMs: 300, media: 'none' });
  carrier = await lab.sipp.phone({ port: lab.ports.trunk, ringMs: 300, talkMs: 1_000, media: 'none' });
  database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
});
afterAll(async () => {
  await database?.end();
  await world?.stop();
  await crm?.server.stop();
  await lab?.stop();
});

const read = async (id: string): Promise<Call> => (await company.call('GET', `/v1/calls/${id}`)).body as Call;
const over = (id: string): Promise<Call> =>
  waitFor(
    async () => {
      const call = await read(id);
      return call.status === 'ended' ? call : undefined;
    },
    { what: 'the call to end', timeoutMs: 30_000 },
  );
const linksOf = async (callId: string): Promise<unknown> =>
  (await database.query('select links from crm_sync where call_id = $1', [callId])).rows[0]?.links;

/** Looks at the rows of the CRM, as fast as it can, for one that does not know yet what the CRM has. */
function watchForBareRows() {
  const seen = { looks: 0, bare: 0, full: 0 };
  const watch = { isOver: false };
  const watching = (async () => {
    while (!watch.isOver) {
      const { rows } = await database.query(`select links = '{}' as is_bare from crm_sync`);
      seen.looks++;
      if (rows.some(({ is_bare }) => is_bare)) seen.bare++;
      if (rows.some(({ is_bare }) => !is_bare)) seen.full++;
    }
  })();
  return async () => {
    watch.isOver = true;
    await watching;
    return seen;
  };
}

describe('a click in a CRM', () => {
  const request = {
    id: 'click-1',
    event: 'click',
    user: '7',
    number: '+4930111222',
    entity: { type: 'Lead', id: '55' },
    callId: 'crm-call-1',
  };
  let callId: string;

  it('rings the agent’s phone, then the customer, and the call knows the CRM’s object from its first moment', async () => {
    const watched = watchForBareRows();
    const answer = await knock(doorUrl, request);
    expect(answer).toMatchObject({ status: 200, body: { callId: expect.any(String) } });
    callId = String(answer.body['callId']);
    const customer = await carrier.call(({ answeredAt }) => answeredAt !== undefined, 'the customer to answer', 30_000);
    expect(customer).toMatchObject({ calledUser: '+4930111222', fromUser: company.number });
    const call = await over(callId);
    expect(call).toMatchObject({ direction: 'outbound', outcome: 'answered', remote: { e164: '+4930111222' } });
    const [rung] = await agent.calls();
    expect(rung?.answeredAt).toBeLessThan(customer.ringingAt ?? 0);
    const { bare, full, looks } = await watched();
    expect({ bare, isSeen: full > 0 && looks > 10 }).toEqual({ bare: 0, isSeen: true });
    // The call may have been told there meanwhile, which adds to them.
    expect(await linksOf(callId)).toMatchObject({
      contact: { type: 'Lead', id: '55', kind: 'lead', name: '', ownerId: null },
      remoteId: 'crm-call-1',
    });
  });

  it('is audited as the CRM’s, and the CRM is told of the call', async () => {
    const { rows } = await database.query(
      `select actor_key_id, detail from audit_entry where action = 'call.requested' and target_id = $1`,
      [callId],
    );
    expect(rows).toEqual([
      { actor_key_id: null, detail: { agentId: company.agentIds[0], crmConnectionId: connectionId } },
    ]);
    const told = await waitFor(() => Promise.resolve(crm.told[0]), { what: 'the CRM to be told' });
    expect(told.result).toEqual({ kind: 'placed', callId });
  });

  it('is answered with the same call when the CRM sends it again, and rings nobody', async () => {
    const answer = await knock(doorUrl, request);
    expect(answer).toMatchObject({ status: 200, body: { callId } });
    expect((await company.call('GET', '/v1/calls')).body.items).toHaveLength(1);
    expect(await agent.calls()).toHaveLength(1);
  });

  it('by API may name the CRM’s object too', async () => {
    const placed = await company.call('POST', '/v1/calls', {
      headers: { 'idempotency-key': randomUUID() },
      body: {
        agentId: company.agentIds[0],
        to: '+4930111223',
        crm: { connectionId, type: 'Account', id: '9' },
      },
    });
    await over(placed.body.id);
    expect(await linksOf(placed.body.id)).toMatchObject({
      contact: { type: 'Account', id: '9', kind: 'company', name: '', ownerId: null },
    });
  });

  it('on a form rings an agent of the line, then whoever wants to be called', async () => {
    const answer = await knock(doorUrl, { id: 'form-1', event: 'form', number: '+4930111224', line: company.number });
    expect(answer.status).toBe(200);
    await carrier.call(({ calledUser }) => calledUser === '+4930111224', 'the customer’s phone to ring', 30_000);
    expect(await over(String(answer.body['callId']))).toMatchObject({
      outcome: 'answered',
      line: { id: company.lineId },
    });
  });
});

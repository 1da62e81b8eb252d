import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { newId } from '../../src/common/ids.js';
import { Problem } from '../../src/common/problems.js';
import { CrmAdapters } from '../../src/crm/adapters/crm-adapters.js';
import { CONTACTS_CHANGED } from '../../src/contacts/contact-sources.js';
import { Dialer, type DialOrder } from '../../src/crm/doors/dialer.js';
import { ApiWorld, type TestTenant } from '../support/api-world.js';
import { startDatabaseServer } from '../support/database.js';
import { knock, readAnswer, SECRET, sign, startToyCrm, toyAdapter } from '../support/toy-crm.js';

describe('doors of CRM connections', () => {
  let lab: Lab;
  let databaseUrl: string;
  let world: ApiWorld;
  let crm: Awaited<ReturnType<typeof startToyCrm>>;
  let tenant: TestTenant;
  let stranger: TestTenant;
  let nodeId: string;
  let agentId: string;
  let lineId: string;
  let realDialer: Dialer;
  const orders: DialOrder[] = [];
  /** What becomes of an order; a call of its own unless a test says otherwise. */
  let dial: (order: DialOrder) => Promise<{ callId: string }>;

  beforeAll(async () => {
    lab = await startDatabaseServer();
    crm = await startToyCrm();
    databaseUrl = await lab.postgres.createDatabase();
    world = await ApiWorld.start(databaseUrl, { env: { EGRESS_ALLOW: '127.0.0.0/8' } });
    Object.assign(world.app.get(CrmAdapters, { strict: false }), { list: [toyAdapter] });
    const dialer = world.app.get(Dialer, { strict: false });
    const place = dialer.dial.bind(dialer);
    realDialer = { dial: place };
    // No switch is there: what is asked of the dialer is looked at, and answered by the test.
    dialer.dial = (order) => {
      orders.push(order);
      return dial(order);
    };
    tenant = await world.addTenant(['config', 'calls:write']);
    stranger = await world.addTenant();
    nodeId = await world.addNode();
    agentId = await addAgent('Alice', { email: 'Alice@example.com' }, 'phone-101');
    lineId = (await addLine('+4930123456', 'Sales', [agentId])).id;
  });
  afterAll(async () => {
    await world?.stop();
    await crm?.server.stop();
    await lab?.stop();
  });
  beforeEach(() => {
    orders.length = 0;
    crm.users.length = 0;
    dial = () => Promise.resolve({ callId: newId() });
  });

  async function addAgent(name: string, more: object = {}, endpoint: string = newId()): Promise<string> {
    const body = { name, devices: [{ kind: 'sip', pbxNodeId: nodeId, endpoint }], ...more };
    return (await world.ok('POST', '/v1/agents', { key: tenant.key, body })).id;
  }
  const addLine = (number: string, name: string, agentIds: readonly string[]) =>
    world.ok('POST', '/v1/lines', {
      key: tenant.key,
      body: { pbxNodeId: nodeId, number, name, target: { agentIds }, outbound: { endpoint: 't', format: 'plus-e164' } },
    });

  /** A connection, and where its door is here. */
  async function connect(more: object = {}): Promise<{ id: string; url: string }> {
    const body = {
      adapter: 'toy',
      name: 'Toy',
      settings: { url: crm.server.url, secret: SECRET },
      rules: { users: { map: { [agentId]: '7' } } },
      ...more,
    };
    const { id, doorUrl } = await world.ok('POST', '/v1/crm-connections', { key: tenant.key, body });
    return { id, url: doorUrl.replace('http://ringline.test', world.url) };
  }
  const click = (more: object = {}) => ({ id: newId(), event: 'click', user: '7', number: '+4930111222', ...more });
  const problem = (status: number, name: string) => ({
    status,
    body: { type: `http://ringline.test/problems/${name}` },
  });
  /** What the CRM was told of clicks on these numbers, once it was told of all: those of earlier tests come late. */
  const told = (...numbers: readonly string[]) =>
    waitFor(
      () => {
        const about = crm.told.filter(({ wish }) => numbers.includes(wish.number));
        return Promise.resolve(
          about.length >= numbers.length ? about.map(({ wish, result }) => ({ wish, result })) : undefined,
        );
      },
      { what: 'the CRM to be told', timeoutMs: 20_000 },
    );

  it('dial for a user who is mapped to an agent, answer with the call, and tell the CRM', async () => {
    const { id, url } = await connect();
    const entity = { type: 'Lead', id: '55' };
    const answer = await knock(url, click({ number: '+4930111201', entity, callId: 'crm-1', line: '+49 30 123456' }));
    expect(answer).toMatchObject({ status: 200, body: { callId: expect.stringMatching(/^[0-9a-f-]{36}$/) } });
    expect(orders).toEqual([
      {
        tenantId: tenant.id,
        connectionId: id,
        idempotencyKey: expect.stringMatching(new RegExp(`^door:${id}:[0-9a-f]{64}$`)),
        agentId,
        number: '+4930111201',
        lineId,
        entity,
        remoteCallId: 'crm-1',
      },
    ]);
    expect(await told('+4930111201')).toMatchObject([
      { wish: { remoteCallId: 'crm-1' }, result: { kind: 'placed', callId: answer.body['callId'] } },
    ]);
  });

  it('refuse what is signed with another secret, and do not take it for the request that it imitates', async () => {
    const { url } = await connect();
    const request = click();
    expect(await knock(url, request, 'guessed')).toMatchObject(problem(401, 'signature-invalid'));
    expect(orders).toEqual([]);
    expect((await knock(url, request)).status).toBe(200);
  });

  it('heed a request once, also when it comes twice at the same time', async () => {
    const { url } = await connect();
    let go = (): void => undefined;
    const held = new Promise<void>((resolve) => (go = resolve));
    dial = async () => {
      await held;
      return { callId: newId() };
    };
    const request = click({ number: '+4930111202' });
    const [first, second] = [knock(url, request), knock(url, request)];
    await waitFor(() => Promise.resolve(orders.length > 0 || undefined), { what: 'the first to be heeded' });
    go();
    const answers = await Promise.all([first, second]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers[0].body).toEqual(answers[1].body);
    const third = await knock(url, request);
    expect(third).toMatchObject({ status: 200, body: answers[0].body });
    expect(third.headers.get('idempotency-replayed')).toBe('true');
    expect(orders).toHaveLength(1);
    expect(await told('+4930111202')).toHaveLength(1);
  });

  it('take requests without an id for the same when they say the same, for 24 hours', async () => {
    const { id, url } = await connect();
    const body = JSON.stringify({ event: 'click', user: '7', number: '+4930111223' });
    expect((await knock(url, body)).status).toBe(200);
    expect((await knock(url, body)).headers.get('idempotency-replayed')).toBe('true');
    expect((await knock(url, `${body} `)).headers.get('idempotency-replayed')).toBeNull();
    const age = `update crm_door_request set received_at = received_at - interval '24 hours 1 minute' where connection_id = $1`;
    await world.source.query(age, [id]);
    expect((await knock(url, body)).headers.get('idempotency-replayed')).toBeNull();
    expect(orders).toHaveLength(3);
  });

  it('answer a repeated request that was refused as the first, without asking again', async () => {
    const { url } = await connect();
    dial = () => Promise.reject(new Problem('number-blocked', { detail: 'It is on the block list.', field: 'to' }));
    const request = click({ number: '+4930111203' });
    const first = await knock(url, request);
    expect(first).toMatchObject(problem(422, 'number-blocked'));
    dial = () => Promise.resolve({ callId: newId() });
    expect(await knock(url, request)).toMatchObject({ status: 422, body: first.body });
    expect(orders).toHaveLength(1);
    const result = { kind: 'refused', problem: 'number-blocked', why: 'It is on the block list.' };
    expect(await told('+4930111203')).toMatchObject([{ result }]);
  });

  it('heed a request again of which the process that had it decided nothing', async () => {
    const { id, url } = await connect();
    dial = () => Promise.reject(new Error('broken'));
    const request = click();
    expect((await knock(url, request)).status).toBe(500);
    dial = () => Promise.resolve({ callId: newId() });
    expect((await knock(url, request)).status).toBe(200);
    // One that died over it.
    const died = `update crm_door_request set answer = null, claimed_at = now() - interval '31 seconds' where connection_id = $1`;
    await world.source.query(died, [id]);
    expect((await knock(url, request)).status).toBe(200);
    expect(orders).toHaveLength(3);
    expect(new Set(orders.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  });

  it('take 64 kB in any form, and not a byte more', async () => {
    const { url } = await connect();
    const head = `{"event":"other","text":"`;
    const exact = `${head}${'x'.repeat(65_536 - head.length - 2)}"}`;
    expect(exact).toHaveLength(65_536);
    const send = async (body: string, type: string) =>
      readAnswer(
        await fetch(url, { method: 'POST', body, headers: { 'content-type': type, 'x-toy-signature': sign(body) } }),
      );
    for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/weird']) {
      expect(await send(exact, type), type).toMatchObject({ status: 204 });
      expect(await send(`${exact} `, type), type).toMatchObject(problem(413, 'body-too-large'));
    }
  });

  it('tell what is malformed, and do nothing for what they do not need', async () => {
    const { url } = await connect();
    expect(await knock(url, { event: 'click', number: '+4930111222' })).toMatchObject(problem(400, 'invalid-request'));
    expect(await knock(url, 'no JSON')).toMatchObject(problem(400, 'invalid-request'));
    expect(await knock(url, click({ number: 'a\u0000b' }))).toMatchObject(problem(400, 'invalid-request'));
    expect(await knock(url, '{"__proto__":{"event":"click"}}')).toMatchObject({ status: 204 });
    expect(await knock(url, { event: 'deal-moved' })).toMatchObject({ status: 204, body: {} });
    expect(orders).toEqual([]);
  });

  it('answer a wrong random part as they do for a connection that is not there', async () => {
    const { id, url } = await connect();
    const random = url.split('/').at(-1) ?? '';
    const wrong = `${random.slice(0, -1)}${random.endsWith('A') ? 'B' : 'A'}`;
    const hooks = `${world.url}/v1/hooks`;
    const answers = [
      await knock(`${hooks}/${id}/${wrong}`, click()),
      await knock(`${hooks}/${id}/x`, click()),
      await knock(`${hooks}/${newId()}/${random}`, click()),
      await knock(`${hooks}/no-id/${random}`, click()),
    ];
    for (const { status, body } of answers) {
      expect({ status, body }).toEqual({ status: answers[0]?.status, body: answers[0]?.body });
    }
    expect(answers[0]).toMatchObject(problem(404, 'not-found'));
    expect(orders).toEqual([]);
  });

  it('open by the new address alone once it was rotated', async () => {
    const { id, url } = await connect();
    const { doorUrl } = await world.ok('POST', `/v1/crm-connections/${id}/rotate-door`, { key: tenant.key });
    expect((await knock(url, click())).status).toBe(404);
    expect((await knock(doorUrl.replace('http://ringline.test', world.url), click())).status).toBe(200);
  });

  it('bound how often somebody tries, without shutting out the CRM', async () => {
    const { id, url } = await connect();
    const statuses = async (path: string): Promise<number[]> => {
      const tries = Array.from({ length: 70 }, () => knock(`${world.url}/v1/hooks/${path}/wrong`, click()));
      return (await Promise.all(tries)).map(({ status }) => status);
    };
    // Thirty a minute, and the minute may end in the middle.
    for (const path of [id, newId()]) {
      const seen = await statuses(path);
      expect(seen.filter((status) => status === 429).length).toBeGreaterThanOrEqual(10);
      expect(seen.every((status) => status === 404 || status === 429)).toBe(true);
    }
    expect((await knock(url, click())).status).toBe(200);
  });

  it('refuse a user whom nobody mapped, and one who is mapped to an agent of another tenant', async () => {
    const foreign = await world.ok('POST', '/v1/agents', { key: stranger.key, body: { name: 'Mallory' } });
    const users = { map: { [foreign.id]: '9' }, match: 'none' };
    const { url } = await connect({ rules: { users } });
    for (const user of ['8', '9']) {
      const answer = await knock(url, click({ user, number: `+493011120${user}` }));
      expect(answer).toMatchObject(problem(422, 'crm-user-unknown'));
      expect(answer.body['detail']).toContain(`The CRM user ${user}`);
    }
    expect(orders).toEqual([]);
    const result = { kind: 'refused', problem: 'crm-user-unknown' };
    expect(await told('+4930111208', '+4930111209')).toMatchObject([{ result }, { result }]);
  });

  it('know a user by his e-mail, else by his extension, where the rules allow it', async () => {
    const user = { id: '20', name: 'A', email: 'ALICE@example.com', extension: null, isActive: true };
    const byExtension = { id: '21', name: 'B', email: 'b@example.com', extension: 'phone-102', isActive: true };
    const gone = { id: '22', name: 'C', email: 'alice@example.com', extension: null, isActive: false };
    const bob = await addAgent('Bob', {}, 'phone-102');
    crm.users.push(user, byExtension, gone);
    const { url } = await connect({ rules: {} });
    expect((await knock(url, click({ user: '20' }))).status).toBe(200);
    expect((await knock(url, click({ user: '21' }))).status).toBe(200);
    expect((await knock(url, click({ user: '22' }))).status).toBe(422);
    expect(orders.map((order) => order.agentId)).toEqual([agentId, bob]);
    expect(crm.server.requests.filter(({ path }) => path === '/users')).toHaveLength(1);
    const emailOnly = await connect({ rules: { users: { match: 'email' } } });
    expect((await knock(emailOnly.url, click({ user: '21' }))).status).toBe(422);
  });

  it('know an extension that stands in the name of a phone, as the call’s owner is found by it', async () => {
    const [user, word] = [
      { id: '31', name: 'D', email: null, extension: '103', isActive: true },
      { id: '32', name: 'E', email: null, extension: 'desk', isActive: true },
    ];
    const dora = await addAgent('Dora', {}, 'sales-103');
    await addAgent('Eve', {}, 'sales-desk');
    crm.users.push(user, word);
    const { url } = await connect({ rules: {} });
    expect((await knock(url, click({ user: '31' }))).status).toBe(200);
    expect((await knock(url, click({ user: '32' }))).status).toBe(422);
    expect(orders.map((order) => order.agentId)).toEqual([dora]);
  });

  it('take requests from the networks of the list alone, where there is one', async () => {
    const elsewhere = await connect({ doorSources: ['203.0.113.0/24', '2001:db8::/32'] });
    expect(await knock(elsewhere.url, click())).toMatchObject(problem(403, 'source-not-allowed'));
    const path = `/v1/crm-connections/${elsewhere.id}`;
    const changed = await world.ok('PATCH', path, { key: tenant.key, body: { doorSources: ['127.0.0.1'] } });
    expect(changed.doorSources).toEqual(['127.0.0.1']);
    expect((await knock(elsewhere.url, click())).status).toBe(200);
    const wrong = { key: tenant.key, body: { doorSources: ['localhost'] } };
    expect(await world.request('PATCH', path, wrong)).toMatchObject({ status: 400, body: { field: 'doorSources.0' } });
  });

  it('are open for CRMs that send GET', async () => {
    const { url } = await connect();
    const get = async (query: object) =>
      readAnswer(await fetch(`${url}?${new URLSearchParams(query as Record<string, string>).toString()}`));
    const query = { user: '7', number: '+4930111224', token: SECRET };
    const answer = await get(query);
    expect(answer.status).toBe(200);
    expect((await get(query)).body).toEqual(answer.body);
    expect((await get({ ...query, number: '+4930111225' })).body).not.toEqual(answer.body);
    expect(await get({ ...query, token: 'guessed' })).toMatchObject(problem(401, 'signature-invalid'));
    // Whoever looks whether a link is good.
    const looked = `${url}?${new URLSearchParams({ ...query, number: '+4930111226' }).toString()}`;
    expect((await fetch(looked, { method: 'HEAD' })).status).toBe(405);
    expect(orders.map(({ number }) => number)).toEqual(['+4930111224', '+4930111225']);
  });

  it('dial nothing for a connection that is paused', async () => {
    const { url } = await connect({ status: 'paused' });
    expect(await knock(url, click())).toMatchObject(problem(409, 'connection-not-enabled'));
    expect(orders).toEqual([]);
  });

  it('refuse a line that the tenant has not', async () => {
    const { url } = await connect();
    expect(await knock(url, click({ line: '+4930999999' }))).toMatchObject(problem(422, 'line-required'));
    expect(orders).toEqual([]);
  });

  it('call back by the first agent of the line who can be rung', async () => {
    const { url } = await connect();
    const carol = await addAgent('Carol');
    const dave = await addAgent('Dave');
    const line = await addLine('+4930123457', 'Support', [agentId, carol, dave]);
    dial = (order) =>
      order.agentId === agentId
        ? Promise.reject(new Problem('agent-busy', { detail: 'Busy.' }))
        : Promise.resolve({ callId: newId() });
    const answer = await knock(url, { id: newId(), event: 'form', number: '+4930111226', line: 'support' });
    expect(answer.status).toBe(200);
    expect(orders.map((order) => [order.agentId, order.lineId])).toEqual([
      [agentId, line.id],
      [carol, line.id],
    ]);
    expect(new Set(orders.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    // Which of two lines, nobody can know.
    const nowhere = await knock(url, { id: newId(), event: 'form', number: '+4930111226' });
    expect(nowhere).toMatchObject(problem(422, 'line-required'));
  });

  it('pass on that contacts have changed', async () => {
    const { id, url } = await connect();
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    const heard: unknown[] = [];
    client.on('notification', ({ payload }) => heard.push(payload));
    await client.query(`listen ${CONTACTS_CHANGED}`);
    expect((await knock(url, { event: 'contact', id: newId() })).status).toBe(204);
    await waitFor(() => Promise.resolve(heard.length > 0 || undefined), { what: 'the notification' });
    expect(heard).toEqual([id]);
    await client.end();
  });

  it('tell the CRM again when it could not be told, and keep nothing of it afterwards', async () => {
    const { id, url } = await connect();
    crm.server.fail({
      what: 'status',
      status: 503,
      times: 1,
      matches: ({ json }) => JSON.stringify(json ?? '').includes('+4930111204'),
    });
    expect((await knock(url, click({ number: '+4930111204' }))).status).toBe(200);
    await told('+4930111204');
    await waitFor(
      async () => {
        const [row] = await world.source.query(
          'select telling, tell_at, tell_attempts from crm_door_request where connection_id = $1',
          [id],
        );
        return row.tell_at === null ? row : undefined;
      },
      { what: 'the row to be settled' },
    ).then((row) => expect(row).toEqual({ telling: null, tell_at: null, tell_attempts: 2 }));
  });

  it('dial by the rules of click-to-call: what they refuse is refused, and stores no call', async () => {
    const { url } = await connect();
    dial = (order) => realDialer.dial(order);
    expect(await knock(url, click({ number: '112', line: 'Sales' }))).toMatchObject(problem(422, 'number-blocked'));
    // No PBX is there.
    expect(await knock(url, click({ line: 'Sales' }))).toMatchObject(problem(503, 'node-unavailable'));
    expect(await world.source.query('select 1 from call_request')).toEqual([]);
  });

  it('are not what a call placed by API may name of another tenant', async () => {
    const { id } = await connect();
    const place = (key: string, crmOf: object) =>
      world.request('POST', '/v1/calls', {
        key,
        headers: { 'idempotency-key': newId() },
        body: { agentId, to: '+4930111222', lineId, crm: crmOf },
      });
    const entity = { type: 'Contact', id: '1' };
    expect(await place(tenant.key, { connectionId: newId(), ...entity })).toMatchObject({
      ...problem(404, 'not-found'),
      body: { field: 'crm.connectionId' },
    });
    expect((await place(tenant.key, { connectionId: id, ...entity })).status).toBe(503);
    expect(await place(tenant.key, { connectionId: id })).toMatchObject({ status: 400, body: { field: 'crm.type' } });
  });
});

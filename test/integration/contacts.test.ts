import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Rolodex, rolodexAdapter } from '../../lab/crm/rolodex.js';
import { compiledFolder } from '../../lab/ringline.js';
import type { Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { newId } from '../../src/common/ids.js';
import { ContactIndex } from '../../src/contacts/contact-index.js';
import { CONTACTS_CHANGED } from '../../src/contacts/contact-sources.js';
import { CrmAdapters } from '../../src/crm/adapters/crm-adapters.js';
import type { CrmContact } from '../../src/crm/port/crm-objects.js';
import { ScreenPop } from '../../src/screen-pop/screen-pop.js';
import { ApiWorld, type TestTenant } from '../support/api-world.js';
import { callDocument } from '../../lab/call-document.js';
import { committedChange, participant } from '../support/call-document.js';
import { addRecordedCall } from '../support/recorded-call.js';
import { startDatabaseServer } from '../support/database.js';
import { EventStream } from '../support/event-stream.js';

let lab: Lab;
let databaseUrl: string;
let world: ApiWorld;
let nodeId: string;
let tenant: TestTenant;
let crm: Rolodex;

beforeAll(async () => {
  lab = await startDatabaseServer();
  databaseUrl = await lab.postgres.createDatabase();
  world = await ApiWorld.start(databaseUrl, { env: { EGRESS_ALLOW: '127.0.0.0/8' } });
  Object.assign(world.app.get(CrmAdapters, { strict: false }), { list: [rolodexAdapter] });
  nodeId = await world.addNode();
});
afterAll(async () => {
  await world?.stop();
  await lab?.stop();
});
beforeEach(async () => {
  crm = await Rolodex.start();
  tenant = await addTenant();
});
afterEach(() => crm.stop());

async function addTenant(): Promise<TestTenant> {
  const added = await world.addTenant(['config', 'calls:read', 'calls:write']);
  await world.ok('PATCH', `/v1/tenants/${added.id}`, { body: { region: 'RU' } });
  return added;
}

async function connect(
  settings: Readonly<Record<string, unknown>> = {},
  { rules = {}, of = tenant }: { readonly rules?: object; readonly of?: TestTenant } = {},
): Promise<string> {
  const body = { adapter: 'rolodex', name: 'Cards', settings: { url: crm.url, ...settings }, rules };
  const { id } = await world.ok('POST', '/v1/crm-connections', { key: of.key, body });
  return id;
}

const contact = (id: string, numbers: readonly string[], changes: Partial<CrmContact> = {}): CrmContact => ({
  type: 'card',
  id,
  kind: 'contact',
  name: `Card ${id}`,
  company: null,
  ownerId: null,
  numbers,
  url: null,
  ...changes,
});

const index = (): ContactIndex => world.app.get(ContactIndex, { strict: false });
const store = (id: string, ...contacts: CrmContact[]): Promise<void> =>
  index().upsertContacts({ tenantId: tenant.id, id }, contacts);

async function lookUp(number: string, agentId?: string, of = tenant): Promise<any> {
  const agent = agentId === undefined ? '' : `&agentId=${agentId}`;
  return world.ok('GET', `/v1/contacts/lookup?number=${encodeURIComponent(number)}${agent}`, { key: of.key });
}
async function found(number: string, agentId?: string, of = tenant): Promise<string[]> {
  const { matches } = await lookUp(number, agentId, of);
  return matches.map(({ id }: { id: string }) => id);
}

async function addCall(number: string, { outcome = null as string | null, of = tenant } = {}): Promise<string> {
  const remote = { raw: number, e164: number.startsWith('+') ? number : null, name: null };
  const call = callDocument({ tenantId: of.id, pbxNodeId: nodeId, from: remote, remote });
  await world.source.query(
    `insert into call (tenant_id, id, pbx_node_id, boot, direction, status, outcome, remote_e164, agent_ids, started_at, version, document)
     values ($1, $2, $3, 'b', 'inbound', 'ended', $4, $5, '{}', now(), 1, $6)`,
    [of.id, call.id, nodeId, outcome, remote.e164, call],
  );
  return call.id;
}

describe('the index of contacts', () => {
  it('finds whoever has a number, however it is written on either side', async () => {
    const id = await connect();
    await store(
      id,
      contact('1', ['8 (495) 123-45-67 доб. 12']),
      contact('2', ['+44 (0)20 7946 0958, 8 916 765 43 21']),
    );
    for (const number of ['+74951234567', '84951234567', '8 495 123 45 67', '74951234567'])
      expect(await found(number)).toEqual(['1']);
    for (const number of ['+442079460958', '0044 20 7946 0958', '89167654321'])
      expect(await found(number)).toEqual(['2']);
    expect(await found('+74951234568')).toEqual([]);
  });

  it('tells the number, how it agrees, and why', async () => {
    const id = await connect();
    await store(
      id,
      contact('1', ['8 495 123-45-67'], { company: 'Acme', ownerId: '7', url: 'https://crm.example.com/1' }),
    );
    expect(await lookUp('+74951234567')).toEqual({
      e164: '+74951234567',
      matches: [
        {
          connectionId: id,
          type: 'card',
          id: '1',
          kind: 'contact',
          name: 'Card 1',
          company: 'Acme',
          ownerId: '7',
          url: 'https://crm.example.com/1',
          number: '8 495 123-45-67',
          agreement: 'exact',
          score: 340,
          reasons: ['exact', 'contact'],
          lastTalkAt: null,
        },
      ],
      asked: [],
    });
  });

  it('shows what ends alike only where nobody has more', async () => {
    const id = await connect();
    await store(id, contact('local', ['123-45-67']));
    expect((await lookUp('+74951234567')).matches).toMatchObject([{ id: 'local', agreement: 'last-digits' }]);
    await store(id, contact('whole', ['+74951234567']));
    expect(await found('+74951234567')).toEqual(['whole']);
  });

  it('has what the CRM gave last, and nothing of what was removed', async () => {
    const id = await connect();
    await store(id, contact('1', ['+74951234567', '+79161234567']), contact('2', ['+79161234567']));
    await store(id, contact('1', ['+79161234567'], { name: 'Anna' }));
    expect(await found('+74951234567')).toEqual([]);
    expect((await lookUp('+79161234567')).matches).toMatchObject([{ id: '1', name: 'Anna' }, { id: '2' }]);
    await index().remove({ tenantId: tenant.id, id }, [{ type: 'card', id: '1' }]);
    expect(await found('+79161234567')).toEqual(['2']);
    await world.ok('DELETE', `/v1/crm-connections/${id}`, { key: tenant.key });
    expect(await found('+79161234567')).toEqual([]);
  });

  it('takes hostile texts for texts, and leaves out what is no id and no address', async () => {
    const id = await connect();
    const hostile = 'a\u0000b\u202e\r\n<script>' + 'x'.repeat(1_000) + '\ud83d';
    await store(
      id,
      contact('1', ['+74951234567', hostile, '9'.repeat(1_000)], { name: hostile, url: 'javascript:alert(1)' }),
      contact('x'.repeat(300), ['+74951234567']),
      contact('a\u0000', ['+74951234567']),
    );
    const { matches } = await lookUp('+74951234567');
    expect(matches).toHaveLength(1);
    expect(matches[0]).toMatchObject({ id: '1', url: null });
    expect(matches[0].name).toMatch(/^ab<script>x+$/);
  });

  it('is stored by many at a time without locking up', async () => {
    const id = await connect();
    const cards = Array.from({ length: 50 }, (_, n) => contact(String(n), ['+74951234567']));
    await Promise.all(Array.from({ length: 8 }, (_, n) => store(id, ...(n % 2 === 0 ? cards : cards.toReversed()))));
    expect(await found('+74951234567')).toHaveLength(20);
  });

  it('puts an agent’s own before others, by the connection’s map and by the agent', async () => {
    const addAgent = async (): Promise<string> =>
      (await world.ok('POST', '/v1/agents', { key: tenant.key, body: { name: 'A', devices: [] } })).id;
    const [alice, bob, carol] = [await addAgent(), await addAgent(), await addAgent()];
    const id = await connect({}, { rules: { users: { map: { [alice]: '8' } } } });
    await world.source.query(`update agent set crm_users = $2 where id = $1`, [bob, { [id]: '9' }]);
    await store(
      id,
      ...['7', '8', '9'].map((ownerId) => contact(ownerId, ['+74951234567'], { ownerId })),
      contact('firm', ['+74951234567'], { kind: 'company', ownerId: '8' }),
    );
    expect(await found('+74951234567')).toEqual(['7', '8', '9', 'firm']);
    expect(await found('+74951234567', alice)).toEqual(['8', '7', '9', 'firm']);
    expect(await found('+74951234567', bob)).toEqual(['9', '7', '8', 'firm']);
    expect(await found('+74951234567', carol)).toEqual(['7', '8', '9', 'firm']);
    const unknown = await world.request('GET', `/v1/contacts/lookup?number=1&agentId=${newId()}`, { key: tenant.key });
    expect(unknown.status).toBe(404);
  });

  it('puts whom the number was talked to as before others', async () => {
    const id = await connect();
    await store(id, contact('1', ['+74951234567']), contact('2', ['+74951234567']));
    const callId = await addCall('+74951234567', { outcome: 'answered' });
    await world.source.query(
      `insert into crm_sync (tenant_id, connection_id, call_id, state, wanted, links, priority, next_attempt_at)
       values ($1, $2, $3, 'done', 1, $4, 1, now())`,
      [tenant.id, id, callId, { contact: { type: 'card', id: '2', kind: 'contact', name: 'x', ownerId: null } }],
    );
    const { matches } = await lookUp('+74951234567');
    expect(matches[0]).toMatchObject({ id: '2', reasons: ['exact', 'contact', 'talked'] });
    expect(matches[0].lastTalkAt).toMatch(/^\d{4}-/);
    expect(matches[1]).toMatchObject({ id: '1', lastTalkAt: null });
  });

  it('shows a tenant nothing of another', async () => {
    const id = await connect();
    await store(id, contact('1', ['+74951234567', '1001']));
    const other = await addTenant();
    await connect({}, { of: other });
    expect(await found('+74951234567', undefined, other)).toEqual([]);
    expect(await found('1001', undefined, other)).toEqual([]);
    const callId = await addCall('+74951234567', { of: other });
    const body = { connectionId: id, type: 'card', id: '1' };
    const theirs = await world.request('POST', `/v1/calls/${callId}/contact`, { key: other.key, body });
    expect([theirs.status, theirs.body.field]).toEqual([404, 'connectionId']);
    const mine = await world.request('POST', `/v1/calls/${callId}/contact`, { key: tenant.key, body });
    expect([mine.status, mine.body.field]).toEqual([404, 'id']);
    // A connection of the same id under another tenant stores nothing either.
    await expect(
      index().upsertContacts({ tenantId: other.id, id }, [contact('2', ['+79161234567'])]),
    ).rejects.toThrow();
  });

  it('needs the scopes of calls', async () => {
    const key = await world.addKey(tenant.id, ['config']);
    expect((await world.request('GET', '/v1/contacts/lookup?number=1', { key })).status).toBe(403);
    const body = { connectionId: newId(), type: 'card', id: '1' };
    expect((await world.request('POST', `/v1/calls/${newId()}/contact`, { key, body })).status).toBe(403);
  });
});

describe('an agent’s pick', () => {
  it('stands first for the number from then on, and the newest counts', async () => {
    const id = await connect();
    await store(
      id,
      contact('1', ['+74951234567']),
      contact('2', ['+74951234567'], { kind: 'company' }),
      contact('3', ['+79161234567']),
    );
    const pick = async (contactId: string): Promise<any> => {
      const callId = await addCall('+74951234567');
      const body = { connectionId: id, type: 'card', id: contactId };
      return world.ok('POST', `/v1/calls/${callId}/contact`, { key: tenant.key, body });
    };
    expect(await pick('2')).toMatchObject({ connectionId: id, type: 'card', id: '2', number: '+74951234567' });
    expect(await found('+74951234567')).toEqual(['2', '1']);
    await pick('3');
    expect((await lookUp('8 495 123-45-67')).matches).toMatchObject([
      { id: '3', number: null, agreement: null, reasons: ['picked', 'contact'] },
      { id: '1' },
      { id: '2' },
    ]);
    expect(await found('+79161234567')).toEqual(['3']);
  });

  it('may be one whom the index lacks, when it is named', async () => {
    const id = await connect();
    const callId = await addCall('+74951234567');
    const pick = (body: object): Promise<any> =>
      world.request('POST', `/v1/calls/${callId}/contact`, { key: tenant.key, body });
    const unnamed = await pick({ connectionId: id, type: 'deal', id: '5' });
    expect([unnamed.status, unnamed.body.field]).toEqual([404, 'id']);
    expect((await pick({ connectionId: id, type: 'deal', id: '5', name: 'Deal', kind: 'lead' })).status).toBe(200);
    expect((await lookUp('+74951234567')).matches).toMatchObject([
      { type: 'deal', id: '5', kind: 'lead', name: 'Deal' },
    ]);
  });

  it('of an anonymous caller is of that call alone', async () => {
    const id = await connect();
    await store(id, contact('1', ['+74951234567']));
    const callId = await addCall('anonymous');
    const body = { connectionId: id, type: 'card', id: '1' };
    const picked = await world.ok('POST', `/v1/calls/${callId}/contact`, { key: tenant.key, body });
    expect(picked).toMatchObject({ callId, id: '1', number: null });
    expect(await found('anonymous')).toEqual([]);
  });

  it('is in the call’s record, with whose contact that is', async () => {
    const agent = await world.ok('POST', '/v1/agents', { key: tenant.key, body: { name: 'Alice', devices: [] } });
    const id = await connect({}, { rules: { users: { map: { [agent.id]: '7' } } } });
    const more = { company: 'Acme', url: 'https://crm.example/1' };
    await store(id, contact('1', ['+79161234567'], { ...more, ownerId: '7' }), contact('2', [], { ownerId: '8' }));
    const { callId } = await addRecordedCall(world.source, world.dataDir, { tenantId: tenant.id, nodeId });
    const record = (): Promise<any> => world.ok('GET', `/v1/calls/${callId}`, { key: tenant.key });
    const before = await record();
    const pick = async (contactId: string): Promise<any> => {
      const picked = { connectionId: id, type: 'card', id: contactId };
      await world.ok('POST', `/v1/calls/${callId}/contact`, { key: tenant.key, body: picked });
      const isShown = async (): Promise<any> => {
        const call = await record();
        return call.contact?.id === contactId ? call : undefined;
      };
      return waitFor(isShown, { what: 'the record to have the contact' });
    };
    const { name } = contact('1', []);
    const first = { connectionId: id, type: 'card', id: '1', kind: 'contact', name, ...more };
    expect(await pick('1')).toEqual({
      ...before,
      contact: first,
      owner: { userId: '7', name: null, agentId: agent.id },
      version: before.version + 1,
    });
    expect((await pick('2')).owner).toEqual({ userId: '8', name: null, agentId: null });
    const told = await world.source.query(
      `select type, document::jsonb->'data'->'call'->'contact'->>'id' as contact from call_event where call_id = $1
       order by sequence desc limit 2`,
      [callId],
    );
    expect(told).toEqual([
      { type: 'call.updated', contact: '2' },
      { type: 'call.updated', contact: '1' },
    ]);
  });

  it('has the CRM told of the call once more', async () => {
    const id = await connect();
    await store(id, contact('1', ['+74951234567']));
    const callId = await addCall('+74951234567');
    await world.source.query(
      `insert into crm_sync (tenant_id, connection_id, call_id, state, wanted, has, priority, next_attempt_at)
       values ($1, $2, $3, 'done', 1, 1, 1, now() + interval '1 day')`,
      [tenant.id, id, callId],
    );
    const body = { connectionId: id, type: 'card', id: '1' };
    await world.ok('POST', `/v1/calls/${callId}/contact`, { key: tenant.key, body });
    const [row] = await world.source.query(
      `select state, next_attempt_at <= now() as due from crm_sync where call_id = $1`,
      [callId],
    );
    expect(row).toEqual({ state: 'due', due: true });
  });
});

describe('a number that the index does not know', () => {
  it('is looked for in the CRM once, and what it says is kept', async () => {
    crm.put('1', ['8 (495) 123-45-67']);
    const id = await connect();
    const first = await lookUp('+74951234567');
    expect(first).toMatchObject({ matches: [{ id: '1' }], asked: [{ connectionId: id, answer: 'found', why: null }] });
    expect(await lookUp('+74951234567')).toMatchObject({ matches: [{ id: '1' }], asked: [] });
    expect(crm.requests).toHaveLength(1);
  });

  it('is said to be nobody’s when the CRM says so', async () => {
    const id = await connect();
    expect(await lookUp('+74951234567')).toMatchObject({
      matches: [],
      asked: [{ connectionId: id, answer: 'nobody', why: null }],
    });
  });

  it('is answered while the CRM is late, and is known when that has answered', async () => {
    crm.put('1', ['8 (495) 123-45-67']);
    const id = await connect();
    crm.fail({ what: 'slow', times: 1, ms: 1_000 });
    expect(await lookUp('+74951234567')).toMatchObject({ matches: [], asked: [{ connectionId: id, answer: 'late' }] });
    // Who asks meanwhile asks it no second time.
    expect(await lookUp('84951234567')).toMatchObject({ matches: [], asked: [{ answer: 'late' }] });
    await expect.poll(() => found('+74951234567'), { timeout: 5_000 }).toEqual(['1']);
    expect(crm.requests).toHaveLength(1);
  });

  it('is answered while the CRM is down, with what the index has', async () => {
    const id = await connect();
    await store(id, contact('known', ['+79161234567']), contact('alike', ['123-45-67']));
    await crm.stop();
    expect(await lookUp('+79161234567')).toMatchObject({ matches: [{ id: 'known' }], asked: [] });
    const unknown = await lookUp('+74951234567');
    expect(unknown).toMatchObject({ matches: [{ id: 'alike' }], asked: [{ connectionId: id, answer: 'failed' }] });
    expect(unknown.asked[0].why).not.toBe('');
    crm = await Rolodex.start();
  });

  it('is asked of no CRM whose connection is paused, and never where it is no public number', async () => {
    crm.put('1', ['8 (495) 123-45-67']);
    const id = await connect();
    expect(await lookUp('1001')).toMatchObject({ matches: [], asked: [] });
    expect(await lookUp('anonymous')).toEqual({ e164: null, matches: [], asked: [] });
    await world.ok('PATCH', `/v1/crm-connections/${id}`, { key: tenant.key, body: { status: 'paused' } });
    expect(await lookUp('+74951234567')).toMatchObject({ matches: [], asked: [] });
    expect(crm.requests).toEqual([]);
  });
});

describe('the pop of a caller whom the index does not know', () => {
  it('is followed by whom the CRM finds, who is known from then on, though the CRM takes its time', async () => {
    const id = await connect();
    crm.put('1', ['8 (495) 123-45-67']);
    crm.fail({ what: 'slow', times: 1, ms: 800 });
    const key = await world.addKey(tenant.id, ['config', 'stream:issue']);
    const agent = await world.ok('POST', '/v1/agents', { key, body: { name: 'Alice' } });
    const { token } = await world.ok('POST', '/v1/stream-tokens', { key, body: { agentId: agent.id } });
    const stream = await EventStream.open(`${world.url}/v1/stream?token=${token}`);
    try {
      await expect.poll(() => stream.all('snapshot')).toHaveLength(1);
      const remote = { raw: '84951234567', e164: '+74951234567', name: null };
      const call = callDocument({ tenantId: tenant.id, from: remote, remote, participants: [participant(agent.id)] });
      world.app.get(ScreenPop, { strict: false }).onCommit([committedChange(call, 'call.started')]);
      await expect
        .poll(() => stream.all('matches'), { timeout: 5_000 })
        .toMatchObject([
          { callId: call.id, agentId: agent.id, matches: [{ connectionId: id, id: '1', agreement: 'exact' }] },
        ]);
      expect(stream.events.map(({ event }) => event)).toEqual(['snapshot', 'pop', 'call', 'matches']);
      expect(await lookUp('+74951234567')).toMatchObject({ matches: [{ id: '1' }], asked: [] });
    } finally {
      stream.close();
    }
  });
});

describe('a CRM that lists its contacts', () => {
  it('is read page by page into the index, and again when it says that something changed', async () => {
    for (let n = 0; n < 35; n++) crm.put(String(n), [`+7495000${1000 + n}`]);
    const id = await connect({ lists: true });
    await expect.poll(() => countOf(id), { timeout: 20_000 }).toBe(35);
    await waitFor(async () => (await syncOf(id)).completedAt, { what: 'the last page' });
    expect(crm.requests.filter(({ path }) => path === '/changes')).toHaveLength(4);
    crm.put('new', ['8 916 123-45-67']);
    await world.source.query('select pg_notify($1, $2)', [CONTACTS_CHANGED, id]);
    await expect.poll(() => countOf(id), { timeout: 20_000 }).toBe(36);
    expect(await found('+79161234567')).toEqual(['new']);
    expect(crm.requests.filter(({ path }) => path === '/changes')).toHaveLength(5);
  });

  it('that fails is asked again later, from where it was, and its failure is known', async () => {
    for (let n = 0; n < 25; n++) crm.put(String(n), [`+7495000${1000 + n}`]);
    crm.fail({ what: 'status', status: 401, times: 1, matches: ({ query }) => query.get('cursor') === '10' });
    const id = await connect({ lists: true });
    await waitFor(async () => (await syncOf(id)).failure, { what: 'the failure', timeoutMs: 20_000 });
    expect(await syncOf(id)).toMatchObject({ cursor: '10', attempts: 1, isClaimed: false });
    expect(await countOf(id)).toBe(10);
    await world.source.query('update contact_sync set next_at = now() where connection_id = $1', [id]);
    await expect.poll(() => countOf(id), { timeout: 20_000 }).toBe(25);
    expect(await syncOf(id)).toMatchObject({ failure: null, attempts: 0 });
    const cursors = crm.requests.filter(({ path }) => path === '/changes').map(({ query }) => query);
    expect(cursors).toEqual(['', 'cursor=10', 'cursor=10', 'cursor=20']);
  });

  it('is read from the beginning when its settings change', async () => {
    for (let n = 0; n < 15; n++) crm.put(String(n), [`+7495000${1000 + n}`]);
    const id = await connect({ lists: true });
    await waitFor(async () => (await syncOf(id)).completedAt, { what: 'the last page', timeoutMs: 20_000 });
    const asked = crm.requests.length;
    const body = { settings: { url: crm.url, lists: true } };
    await world.ok('PATCH', `/v1/crm-connections/${id}`, { key: tenant.key, body });
    await expect.poll(() => crm.requests.length, { timeout: 20_000 }).toBe(asked + 2);
    expect(crm.requests.slice(asked).map(({ query }) => query)).toEqual(['', 'cursor=10']);
  });

  it('is read to the end though its reader is killed again and again, each page once or twice', async () => {
    const cards = 150;
    for (let n = 0; n < cards; n++) crm.put(String(n), [`+7495${1_000_000 + n}`]);
    // Ringline itself does not read it: of this connection it takes the adapter for one that cannot be listed.
    const id = await connect();
    const script = join(await compiledFolder(), 'lab/crm/read-contacts.js');
    for (let kills = 0; (await countOf(id)) < cards; kills++) {
      const before = await countOf(id);
      const reader = spawn(process.execPath, [script, databaseUrl, crm.url, id], { stdio: 'ignore' });
      const exited = once(reader, 'exit');
      await waitFor(async () => (await countOf(id)) > before, { what: 'a page', timeoutMs: 30_000, everyMs: 2 });
      await sleep(kills);
      reader.kill('SIGKILL');
      await exited;
      // Whatever moment it was killed at: what is stored and how far it reaches are one.
      expect(Number((await syncOf(id)).cursor)).toBe(await countOf(id));
    }
    const asked = crm.requests.filter(({ path }) => path === '/changes').map(({ query }) => query);
    // Only a page that was being read when the reader was killed is read again.
    const pages = Array.from({ length: cards / 10 }, (_, n) => (n === 0 ? '' : `cursor=${n * 10}`));
    for (const page of pages) {
      const times = asked.filter((query) => query === page).length;
      expect(times).toBeGreaterThanOrEqual(1);
      expect(times).toBeLessThanOrEqual(2);
    }
    expect(await found('+74951000149')).toEqual(['149']);
  });
});

async function countOf(connectionId: string): Promise<number> {
  const [{ count }] = await world.source.query('select count(*)::int as count from contact where connection_id = $1', [
    connectionId,
  ]);
  return count;
}

async function syncOf(connectionId: string): Promise<any> {
  const [row] = await world.source.query(
    `select cursor, attempts, failure, completed_at as "completedAt", claimed_by is not null as "isClaimed"
     from contact_sync where connection_id = $1`,
    [connectionId],
  );
  return row ?? {};
}

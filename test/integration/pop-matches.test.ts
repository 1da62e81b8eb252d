import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/start-lab.js';
import type { Call } from '../../src/calls/domain/call.js';
import { newId } from '../../src/common/ids.js';
import { ContactIndex } from '../../src/contacts/contact-index.js';
import type { CrmContact } from '../../src/crm/port/crm-objects.js';
import { createDataSource } from '../../src/database/data-source.js';
import { popIdOf } from '../../src/screen-pop/pop-id.js';
import type { Pop } from '../../src/screen-pop/pop.js';
import { callDocument } from '../../lab/call-document.js';
import { committedChange, participant } from '../support/call-document.js';
import { startDatabaseServer } from '../support/database.js';
import type { EventStream } from '../support/event-stream.js';
import { StreamApp, type TestTenant } from '../support/stream-app.js';

type Snapshot = { readonly pops: readonly Pop[] };
type Matches = Pick<Pop, 'id' | 'callId' | 'agentId' | 'matches'>;

let lab: Lab;
let app: StreamApp;
let source: ReturnType<typeof createDataSource>;
let tenant: TestTenant;
let alice: string;
let bob: string;
let connectionId: string;

beforeAll(async () => {
  lab = await startDatabaseServer();
  const url = await lab.postgres.createDatabase();
  app = await StreamApp.start(url);
  source = await createDataSource(url).initialize();
});
afterAll(async () => {
  await source?.destroy();
  await app?.stop();
  await lab?.stop();
});
beforeEach(async () => {
  tenant = await app.addTenant();
  [alice, bob] = [await app.addAgent(tenant), await app.addAgent(tenant)];
  connectionId = newId();
  await source.query(
    `insert into crm_connection (tenant_id, id, adapter, name, status, settings, door_hash, rules)
     values ($1, $2, 'any', 'CRM', 'enabled', '{}', '', $3)`,
    [tenant.id, connectionId, { users: { map: { [alice]: '7', [bob]: '8' } } }],
  );
});

async function store(id: string, ownerId: string, changes: Partial<CrmContact> = {}): Promise<void> {
  const contact = { type: 'card', id, kind: 'contact', name: `Card ${id}`, company: null, url: null } as const;
  await new ContactIndex(source).upsertContacts({ tenantId: tenant.id, id: connectionId }, [
    { ...contact, ownerId, numbers: ['+1 (415) 555-0123'], ...changes },
  ]);
}

const incoming = (changes: Partial<Call> = {}): Call =>
  callDocument({ tenantId: tenant.id, participants: [participant(alice), participant(bob)], ...changes });
const openFor = async (agentId: string): Promise<EventStream> => {
  const stream = await app.open(await app.issue(tenant, agentId));
  await expect.poll(() => stream.all('snapshot')).toHaveLength(1);
  return stream;
};
const names = (stream: EventStream): string[] => stream.events.map(({ event }) => event);
const idsIn = ({ matches }: Pick<Pop, 'matches'>): string[] => matches.map(({ id }) => id);

describe('the matches of a pop', () => {
  it('follow it, each agent’s own before others', async () => {
    await store('a', '7');
    await store('b', '8');
    const [a, b] = [await openFor(alice), await openFor(bob)];
    const call = await app.happen(incoming(), 'call.started');
    for (const [stream, agentId, order] of [
      [a, alice, ['a', 'b']],
      [b, bob, ['b', 'a']],
    ] as const) {
      await expect.poll(() => names(stream)).toEqual(['snapshot', 'pop', 'call', 'matches']);
      expect(stream.all<Pop>('pop')[0]?.matches).toEqual([]);
      const [told] = stream.all<Matches>('matches') as [Matches];
      expect(told).toMatchObject({ id: popIdOf(call.id, agentId), callId: call.id, agentId });
      expect(idsIn(told)).toEqual(order);
      expect(told.matches[0]).toMatchObject({
        connectionId,
        name: `Card ${order[0]}`,
        reasons: ['exact', 'contact', 'owner'],
      });
    }
  });

  it('are not waited for: the pop is with the socket when the commit’s turn is over', async () => {
    await store('a', '7');
    const stream = await openFor(alice);
    const call = await app.store(incoming());
    app.commit(committedChange(call, 'call.started'));
    // No turn of the event loop has passed, and so no answer of PostgreSQL.
    expect(app.log.filter(({ msg, callId }) => msg === 'pop sent' && callId === call.id)).toHaveLength(1);
    await expect.poll(() => names(stream)).toEqual(['snapshot', 'pop', 'call', 'matches']);
  });

  it('are told once, whatever is committed while the phones ring', async () => {
    await store('a', '7');
    const stream = await openFor(alice);
    const call = await app.happen(incoming(), 'call.started');
    await expect.poll(() => stream.all('matches')).toHaveLength(1);
    await app.happen({ ...call, status: 'ringing', version: 2 }, 'call.ringing');
    await app.happen({ ...call, status: 'ringing', version: 3, tags: ['x'] }, 'call.updated');
    await expect.poll(() => stream.all('call')).toHaveLength(3);
    const next = await app.happen(incoming(), 'call.started');
    await expect.poll(() => stream.all<Matches>('matches').at(-1)?.callId).toBe(next.id);
    expect(stream.all('matches')).toHaveLength(2);
  });

  it('are in the pops of a snapshot', async () => {
    await store('a', '7');
    await store('b', '8');
    await app.happen(incoming(), 'call.started');
    const [snapshot] = (await openFor(bob)).all<Snapshot>('snapshot') as [Snapshot];
    expect(snapshot.pops.map(idsIn)).toEqual([['b', 'a']]);
  });

  it('are none of a caller whom nobody knows, and of one who shows no number', async () => {
    await store('a', '7');
    const stream = await openFor(alice);
    const remotes = [
      { raw: '+79161234567', e164: '+79161234567', name: null },
      { raw: 'anonymous', e164: null, name: null },
    ];
    for (const remote of remotes) await app.happen(incoming({ remote, from: remote }), 'call.started');
    // What would come for them would come before this one's.
    await app.happen(incoming(), 'call.started');
    await expect.poll(() => stream.all('matches')).toHaveLength(1);
    expect(stream.all('pop')).toHaveLength(3);
  });

  it('are never those of another tenant', async () => {
    await store('a', '7');
    const other = await app.addTenant();
    const carol = await app.addAgent(other);
    await source.query(
      `insert into crm_connection (tenant_id, id, adapter, name, status, settings, door_hash, rules)
       values ($1, $2, 'any', 'CRM', 'enabled', '{}', '', '{}')`,
      [other.id, newId()],
    );
    await app.store(callDocument({ tenantId: other.id, participants: [participant(carol)] }));
    const stream = await app.open(await app.issue(other, carol));
    await expect.poll(() => stream.all<Snapshot>('snapshot').flatMap(({ pops }) => pops.map(idsIn))).toEqual([[]]);
  });
});

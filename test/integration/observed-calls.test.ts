import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/start-lab.js';
import type { Call } from '../../src/calls/domain/call.js';
import { LedgerStore, type CallStore } from '../../src/calls/ledger/ledger-store.js';
import { startDatabaseServer } from '../support/database.js';
import { DeliveryWorld } from '../support/delivery-world.js';
import { NODE, observedTold, play, TENANT } from '../../lab/replay/observed-stream.js';

/** Another PBX, that was started in the same second. */
const BRANCH = '00000000-0000-7000-8000-00000000000c';

let lab: Lab;
let world: DeliveryWorld;

beforeAll(async () => {
  lab = await startDatabaseServer();
  world = await DeliveryWorld.start(await lab.postgres.createDatabase());
  await world.query('update tenant set id = $1 where id = $2', [TENANT, await world.addTenant()]);
  for (const [nodeId, name] of [
    [NODE.nodeId, 'office'],
    [BRANCH, 'branch'],
  ])
    await world.query(
      `insert into pbx_node (id, name, ari_url, username, password_sealed, app, observe, phone_transfers, extension_contexts, tenant_ids)
       values ($1, $2, 'http://127.0.0.1:1', 'u', '', 'ringline', true, 'auto', '{}', '{}')`,
      [nodeId, name],
    );
});
afterAll(async () => {
  await world?.stop();
  await lab?.stop();
});
beforeEach(() => world.query('delete from call'));

/** The records as they stand in the database, oldest first. */
async function stored(): Promise<Call[]> {
  const rows: { document: Call }[] = await world.query('select document from call order by started_at');
  return rows.map(({ document }) => document);
}

/** What matters of a record and does not change from run to run. */
function gist(calls: readonly Call[]): unknown {
  return calls.map(({ direction, from, to, outcome, outcomeReason, mergedInto, talkSeconds, ...call }) => ({
    direction,
    from: from.raw,
    to: to.raw,
    outcome,
    outcomeReason,
    by: call.hangup?.by,
    isMerged: mergedInto !== null,
    talkSeconds,
    endedAt: call.endedAt,
    legs: call.legs.map(({ id }) => id),
    participants: call.participants.map(({ device, role, talkSeconds: own }) => [device, role, own]),
  }));
}

/** What was published of each, in order. */
async function published(calls: readonly Call[]): Promise<unknown> {
  const told: { call: string; types: string[] }[] = await world.query(
    'select call_id as call, array_agg(type order by sequence) as types from call_event group by call_id',
  );
  return calls.map(({ id }) => told.find(({ call }) => call === id)?.types);
}

const names = [
  'attended-refer.22',
  'attended-feature-code.16',
  'pick-up.22',
  'follow-me.16',
  'conference-joined-later.22',
  'to-own-mobile.22',
];

describe.each(names)('%s', (name) => {
  it('is stored as it was folded', async () => {
    const { calls, parked } = await play(observedTold(name), new LedgerStore(world.database.source));
    expect(parked).toBe(0);
    expect(await stored()).toEqual(calls.toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1)));
  });

  it('is one record wherever a restart falls into it', async () => {
    const told = observedTold(name);
    await play(told, new LedgerStore(world.database.source));
    const whole = gist(await stored());
    for (let cut = 1; cut < told.length; cut += 7) {
      await world.query('delete from call');
      // What was told just before it is told again: a new process does not know what it missed.
      const again = told.map((one) => ({ ...one, receivedAt: null }));
      await play(again.slice(0, cut), new LedgerStore(world.database.source));
      await play(again.slice(Math.max(0, cut - 2)), new LedgerStore(world.database.source));
      expect(gist(await stored()), `cut after ${cut} of ${told.length}`).toEqual(whole);
    }
  });

  it('is a record of its own at each of two PBXs that tell it with the same ids at the same time', async () => {
    const told = observedTold(name);
    await play(told, new LedgerStore(world.database.source));
    const one = await stored();
    const [whole, events] = [gist(one), await published(one)];
    await world.query('delete from call');
    const both = told.flatMap((heard) => [heard, { ...heard, nodeId: BRANCH }]);
    await play(both, new LedgerStore(world.database.source));
    const calls = await stored();
    for (const nodeId of [NODE.nodeId, BRANCH]) {
      const own = calls.filter(({ pbxNodeId }) => pbxNodeId === nodeId);
      expect(gist(own), nodeId).toEqual(whole);
      expect(await published(own), nodeId).toEqual(events);
      const ids = own.map(({ id }) => id);
      for (const { mergedInto } of own) if (mergedInto !== null) expect(ids).toContain(mergedInto);
    }
  });

  it('is one record when a commit fails on the way', async () => {
    const told = observedTold(name);
    await play(told, new LedgerStore(world.database.source));
    const whole = gist(await stored());
    await world.query('delete from call');
    const real = new LedgerStore(world.database.source);
    let commits = 0;
    const store: CallStore = {
      callsOfLegs: (legs) => real.callsOfLegs(legs),
      load: (ids) => real.load(ids),
      loadOpen: (id) => real.loadOpen(id),
      // Each third time, and always at first when calls become one.
      commit: (commit) =>
        commits++ % 3 === 2 || (commit.merges.length > 0 && commits % 2 === 0)
          ? Promise.reject(Object.assign(new Error('the connection is lost'), { code: '57P01' }))
          : real.commit(commit),
    };
    await play(
      told.map((one) => ({ ...one, receivedAt: null })),
      store,
    );
    expect(gist(await stored())).toEqual(whole);
  });
});

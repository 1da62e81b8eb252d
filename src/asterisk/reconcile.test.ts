import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NODE_RESTARTED, type Fact } from '../calls/domain/fact.js';
import { LiveCall } from '../calls/ledger/live-call.js';
import type { AriBridge, AriChannel, AriFrame } from './ari-frame.js';
import { reconcile, type Reconciliation } from './reconcile.js';
import { translate } from './translate.js';

const callId = '01936c7e-8b2a-7000-8000-000000000001';
const otherId = '01936c7e-8b2a-7000-8000-000000000002';
const agentId = '01936c7e-8b2a-7000-8000-0000000000cc';
const caller = '1795343276.0';
const leg = `rl-${callId}-a0c0`;
const room = `rl-${callId}`;
const boot = '2026-03-01T08:00:00.000+0000';
const start = Date.parse('2026-03-01T10:00:00.000Z');
const ariTime = (after: number): string => new Date(start + after).toISOString().replace('Z', '+0000');
const dialplan = { app_name: 'Stasis', app_data: 'ringline,inbound,4930901820' };

/** What happens on the switch in an incoming call that an agent answers, ms after it began. */
const events: readonly (readonly [after: number, frame: AriFrame])[] = [
  [10, { type: 'StasisStart', args: ['inbound', '4930901820'], channel: { id: caller, state: 'Ring', dialplan } }],
  [60, { type: 'StasisStart', args: ['leg'], channel: { id: leg, state: 'Down' } }],
  [80, { type: 'Dial', peer: { id: leg }, dialstatus: '' }],
  [120, { type: 'ChannelStateChange', channel: { id: leg, state: 'Ringing' } }],
  [4_000, { type: 'ChannelStateChange', channel: { id: leg, state: 'Up' } }],
  [4_010, { type: 'ChannelStateChange', channel: { id: caller, state: 'Up' } }],
  [4_020, { type: 'ChannelEnteredBridge', channel: { id: caller }, bridge: { id: room } }],
  [4_030, { type: 'ChannelEnteredBridge', channel: { id: leg }, bridge: { id: room } }],
  [9_000, { type: 'ChannelHangupRequest', channel: { id: caller } }],
  [9_005, { type: 'ChannelLeftBridge', channel: { id: caller }, bridge: { id: room } }],
  [9_006, { type: 'StasisEnd', channel: { id: caller } }],
  [9_010, { type: 'ChannelDestroyed', channel: { id: caller }, cause: 16 }],
  [9_020, { type: 'ChannelLeftBridge', channel: { id: leg }, bridge: { id: room } }],
  [9_025, { type: 'ChannelDestroyed', channel: { id: leg }, cause: 16 }],
];

/** The switch after the first `count` events: what a snapshot shows. */
function switchAfter(count: number, takenAt = start + (events[count - 1]?.[0] ?? 0) + 1) {
  const channels = new Map<string, AriChannel>();
  const inRoom = new Set<string>();
  for (const [after, { type, channel }] of events.slice(0, count)) {
    const id = channel?.id ?? '';
    if (type === 'StasisStart' && channel !== undefined)
      channels.set(id, { ...channel, creationtime: ariTime(after - 5) });
    if (type === 'ChannelStateChange') channels.set(id, { ...channels.get(id), ...channel, id });
    if (type === 'ChannelEnteredBridge') inRoom.add(id);
    if (type === 'ChannelLeftBridge') inRoom.delete(id);
    if (type === 'ChannelDestroyed') channels.delete(id);
    if (type === 'StasisEnd') channels.set(id, { id, state: 'Up', dialplan: { app_name: 'Playback', app_data: '' } });
  }
  const bridges: AriBridge[] =
    inRoom.size === 0 ? [] : [{ id: room, channels: [...inRoom], creationtime: ariTime(4_015) }];
  return { boot, app: 'ringline', channels: [...channels.values()], bridges, takenAt };
}

const ours: readonly Fact[] = [
  {
    leg: callId,
    kind: 'placed',
    key: '',
    at: start,
    source: 'ringline',
    data: {
      direction: 'inbound',
      from: { raw: '+4930111222', e164: '+4930111222', name: null },
      to: { raw: '4930901820', e164: '+4930901820', name: null },
      line: { id: otherId, number: '+4930901820', name: 'Sales' },
      plan: {
        kind: 'ring-line',
        callerLeg: caller,
        phones: [{ agentId, endpoint: 'agent1', autoAnswer: 'none' }],
        ringSeconds: 25,
        limitSeconds: 7200,
      },
    },
  },
  {
    leg,
    kind: 'planned',
    key: '',
    at: start + 30,
    source: 'ringline',
    data: { side: 'agent', agentId, device: 'PJSIP/agent1', contact: null },
  },
];

/** The call as its record knows it, having heard those of the events. */
function callHaving(
  heard: readonly (readonly [number, AriFrame])[],
  more: readonly Fact[] = [],
  ofBoot = boot,
): LiveCall {
  const facts = heard.flatMap(([after, frame]) => translate({ ...frame, timestamp: ariTime(after) }, 0)?.facts ?? []);
  const identity = { id: callId, tenantId: otherId, pbxNodeId: otherId };
  return new LiveCall(identity, ofBoot, [...ours, ...facts, ...more], null);
}

const kinds = ({ told }: Reconciliation) =>
  told.flatMap(({ facts }) => facts.map(({ leg: of, kind }) => `${of} ${kind}`));
const facts = ({ told }: Reconciliation): Fact[] => told.flatMap(({ facts: some }) => some);
const nothing = { told: [], callers: [], orphanLegs: [], orphanRooms: [], missing: new Set() };
const none: ReadonlySet<string> = new Set();

describe('reconciling', () => {
  it.each(events.map((_, i) => i + 1))('tells nothing of a call all of whose first %i events were heard', (count) => {
    const found = reconcile(switchAfter(count), [callHaving(events.slice(0, count))], none, start);
    expect(found).toEqual(nothing);
  });

  it('tells what was missed, and then nothing more, whichever events were lost', () => {
    const lost = fc.tuple(fc.integer({ min: 1, max: events.length }), fc.uniqueArray(fc.nat(events.length - 1)));
    fc.assert(
      fc.property(lost, ([count, unheard]) => {
        const heard = events.slice(0, count).filter((_, i) => i === 0 || !unheard.includes(i));
        const snapshot = switchAfter(count, start + 20_000);
        const first = reconcile(snapshot, [callHaving(heard)], 'all', start);
        const second = reconcile(snapshot, [callHaving(heard, facts(first))], 'all', start);
        expect(kinds(second)).toEqual([]);
        // What the switch has is believed to live, and nothing else is.
        const repaired = callHaving(heard, facts(first)).state;
        const present = new Set(snapshot.channels.map(({ id }) => id));
        for (const { id, ended, createdAt } of repaired?.legs ?? []) {
          if (createdAt !== null) expect(ended === null).toBe(present.has(id));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes a phone that rings unheard to have rung since it was dialled, or was last heard not to', () => {
    const dialled = callHaving(events.slice(0, 3));
    const rang = (call: LiveCall, lastAliveAt: number): number | undefined =>
      facts(reconcile(switchAfter(4, start + 3_000), [call], 'all', lastAliveAt)).find(({ kind }) => kind === 'ringing')
        ?.at;
    expect(rang(dialled, start)).toBe(start + 80);
    expect(rang(dialled, start + 2_000)).toBe(start + 2_000);
    expect(rang(callHaving(events.slice(0, 2)), start)).toBe(start + 3_000);
  });

  it('makes nothing of a leg that one snapshot misses, and ends it after the second', () => {
    const call = callHaving(events.slice(0, 4));
    const snapshot = { ...switchAfter(1), takenAt: start + 5_000 };
    const first = reconcile(snapshot, [call], none, start + 3_000);
    expect(first.told).toEqual([]);
    expect([...first.missing]).toEqual([leg]);
    const second = reconcile(snapshot, [call], first.missing, start + 3_000);
    expect(second.told).toMatchObject([
      {
        leg,
        facts: [
          { kind: 'ended', source: 'estimate', at: start + 3_000, data: { q850: null, sip: null } },
          { kind: 'gap', at: start + 3_000, data: { what: 'end-missed', until: start + 5_000 } },
        ],
      },
    ]);
    // One that is back in between has not ended.
    const back = reconcile(switchAfter(4), [call], first.missing, start + 3_000);
    expect(back).toEqual(nothing);
  });

  it('misses no leg that is younger than the snapshot', () => {
    const call = callHaving(events.slice(0, 4));
    expect(reconcile({ ...switchAfter(1), takenAt: start + 50 }, [call], 'all', start)).toMatchObject({ told: [] });
  });

  it('knows the end of a leg whose hang-up was heard', () => {
    const found = reconcile(switchAfter(events.length, start + 20_000), [callHaving(events.slice(0, 9))], 'all', start);
    const ended = facts(found).find((fact) => fact.leg === caller && fact.kind === 'ended');
    expect(ended).toMatchObject({ source: 'reconcile', at: start + 9_000 });
  });

  it('ends all legs of a switch that was restarted, at its last sign of life, and says why', () => {
    const call = callHaving(events.slice(0, 8), [], 'an earlier boot');
    const found = reconcile({ ...switchAfter(0), takenAt: start + 60_000 }, [call], none, start + 7_000);
    expect(found.told.map(({ leg: of, boot: at }) => [of, at])).toEqual([
      [caller, 'an earlier boot'],
      [leg, 'an earlier boot'],
    ]);
    const restarted = facts(found).find(({ kind }) => kind === 'gap');
    const ends = facts(found).filter(({ kind }) => kind !== 'gap');
    expect(ends).toHaveLength(2);
    for (const fact of ends) {
      expect(fact).toMatchObject({
        kind: 'ended',
        source: 'estimate',
        at: start + 7_000,
        data: { text: NODE_RESTARTED },
      });
    }
    expect(restarted).toMatchObject({
      kind: 'gap',
      at: start + 7_000,
      data: { what: 'pbx-restarted', until: start + 60_000 },
    });
  });

  it('does not take a channel of the new run for one of the old, though their ids are the same', () => {
    const call = callHaving(events.slice(0, 8), [], 'an earlier boot');
    const found = reconcile(switchAfter(8), [call], none, start);
    expect(kinds(found)).toEqual([`${caller} ended`, `${caller} gap`, `${leg} ended`]);
    expect(found.orphanRooms).toEqual([room]);
  });

  it('says which answers were missed', () => {
    const found = reconcile(switchAfter(6, start + 20_000), [callHaving(events.slice(0, 4))], 'all', start);
    const gaps = facts(found).filter(({ kind }) => kind === 'gap');
    const missed = { what: 'answer-missed', until: start + 20_000 };
    expect(gaps).toMatchObject([caller, leg].map((of) => ({ leg: of, at: start + 20_000, data: missed })));
  });

  it('finds callers in our app whom nobody follows', () => {
    const found = reconcile(switchAfter(1), [], none, start);
    expect(found.callers).toEqual([caller]);
    expect(found.told).toMatchObject([
      { leg: caller, boot, arrival: { did: '4930901820' }, facts: [{ kind: 'created', source: 'reconcile' }] },
    ]);
  });

  it.each([
    ['another app', { app_name: 'Stasis', app_data: 'other,inbound,4930901820' }],
    ['an app whose name begins as ours', { app_name: 'Stasis', app_data: 'ringline-2,inbound,4930901820' }],
    ['the dial plan', { app_name: 'Dial', app_data: 'PJSIP/agent1' }],
    ['nowhere', {}],
  ])('leaves alone who is in %s', (_, where) => {
    const snapshot = { ...switchAfter(0), channels: [{ id: '7.7', state: 'Up', dialplan: where }] };
    expect(reconcile(snapshot, [], 'all', start)).toEqual(nothing);
  });

  it('finds legs and rooms of ours that belong to no live call, and no others', () => {
    const snapshot = {
      ...switchAfter(8),
      channels: [...switchAfter(8).channels, { id: `rl-${otherId}-a0c0` }, { id: `rl-${callId}-r` }, { id: '9.9' }],
      bridges: [...switchAfter(8).bridges, { id: `rl-${otherId}` }, { id: 'somebody-else' }],
    };
    const found = reconcile(snapshot, [callHaving(events.slice(0, 8))], none, start);
    // A leg with the id of a live call is on its way into it.
    expect(found.orphanLegs).toEqual([`rl-${otherId}-a0c0`]);
    expect(found.orphanRooms).toEqual([`rl-${otherId}`]);
    expect(found.told).toEqual([]);
  });

  it('does not take an answer of the fall-back for an agent’s', () => {
    const found = reconcile(switchAfter(11, start + 20_000), [callHaving([events[0]!, events[10]!])], none, start);
    expect(kinds(found)).not.toContain(`${caller} answered`);
  });
});

import { callOfOurId, isOurs, roomOf } from '../calls/control/legs.js';
import { isOver } from '../calls/domain/call-state.js';
import { NODE_RESTARTED, type Fact } from '../calls/domain/fact.js';
import { gapFact } from '../calls/domain/gap.js';
import type { LiveCall } from '../calls/ledger/live-call.js';
import type { AriBridge, AriChannel } from './ari-frame.js';
import { parseAriTime } from './ari-time.js';
import { roomKind } from './observer/translate-observed.js';
import { arrived, createdFact, type Translation } from './translate.js';

/** What was read from one switch at one moment. */
export type Snapshot = {
  readonly boot: string;
  readonly app: string;
  readonly channels: readonly AriChannel[];
  readonly bridges: readonly AriBridge[];
  /** When reading began, ms by the switch's clock: what was made later may be missing. */
  readonly takenAt: number;
};

export type Reconciliation = {
  /** What the snapshot tells, per boot and leg. */
  readonly told: readonly (Translation & { readonly boot: string })[];
  /** Callers in our app that nobody follows: to be subscribed to. */
  readonly callers: readonly string[];
  /** Legs and rooms of ours that belong to no live call. */
  readonly orphanLegs: readonly string[];
  readonly orphanRooms: readonly string[];
  /** Legs believed alive that are not there; certain once two snapshots miss them. */
  readonly missing: ReadonlySet<string>;
};

/**
 * Compares what the switch has with what we believe. Pure.
 * @param open Calls of the node that have not ended.
 * @param missedBefore Legs that the snapshot before this one missed, or 'all' when events were lost for sure.
 * @param lastAliveAt When the switch was last known to be as its events said, ms: what ended unseen ended after that.
 */
export function reconcile(
  snapshot: Snapshot,
  open: readonly LiveCall[],
  missedBefore: ReadonlySet<string> | 'all',
  lastAliveAt: number,
): Reconciliation {
  const { boot, takenAt } = snapshot;
  const channels = new Map(snapshot.channels.map((channel) => [channel.id, channel]));
  const told: (Translation & { boot: string })[] = [];
  const missing = new Set<string>();
  const known = new Set<string>();
  const liveRooms = new Set<string>();

  for (const call of open) {
    const tell = (leg: string, ...facts: Fact[]): void => void told.push({ leg, facts, boot: call.boot });
    if (call.boot === boot) liveRooms.add(roomOf(call.identity.id));
    const lastSign = lastSignOf(call);
    let isRestartTold = false;
    for (const leg of call.legs) {
      known.add(leg.id);
      if (isOver(leg)) continue;
      if (call.boot !== boot) {
        const at = Math.max(lastAliveAt, lastSign);
        const gap = isRestartTold ? [] : [gapFact(leg.id, 'pbx-restarted', at, takenAt)];
        isRestartTold = true;
        tell(leg.id, endedFact(leg.id, at, 'estimate', NODE_RESTARTED), ...gap);
        continue;
      }
      const channel = channels.get(leg.id);
      if (channel !== undefined) {
        const facts = presentFacts(leg, channel, snapshot, lastAliveAt, call.observed !== null);
        if (facts.length > 0) tell(leg.id, ...facts);
      } else if (leg.createdAt !== null && leg.createdAt < takenAt) {
        if (missedBefore !== 'all' && !missedBefore.has(leg.id)) missing.add(leg.id);
        else {
          // Who left our control lives on in the dial plan: that says nothing of the end.
          const exact = leg.hangupAsked?.at ?? null;
          const at = exact ?? Math.max(lastAliveAt, lastSign);
          tell(
            leg.id,
            endedFact(leg.id, at, exact === null ? 'estimate' : 'reconcile', null),
            gapFact(leg.id, 'end-missed', at, takenAt),
          );
        }
      }
    }
  }

  const callers: string[] = [];
  for (const channel of snapshot.channels) {
    if (known.has(channel.id) || isOurs(channel)) continue;
    const args = stasisArgs(channel, snapshot.app);
    if (args === null) continue;
    callers.push(channel.id);
    told.push({ ...arrived(channel, args, takenAt, 'reconcile'), boot });
  }
  return {
    told,
    callers,
    // One that is on its way into a call has its call's id in its own: that call is live.
    orphanLegs: snapshot.channels
      .filter((channel) => isOurs(channel) && !known.has(channel.id) && !isLive(channel.id, open))
      .map(({ id }) => id),
    orphanRooms: snapshot.bridges.filter((bridge) => isOurs(bridge) && !liveRooms.has(bridge.id)).map(({ id }) => id),
    missing,
  };
}

function isLive(id: string, open: readonly LiveCall[]): boolean {
  const callId = callOfOurId(id);
  return open.some((call) => call.identity.id === callId);
}

/** Just after the newest thing that is known of a call: none of its legs ended before unseen, and who is known to talk did. */
function lastSignOf(call: LiveCall): number {
  const signs = call.legs.flatMap((leg) => [
    leg.createdAt,
    leg.dialSentAt,
    leg.ringing?.at,
    (leg.pickedUp ?? leg.answered)?.at,
    leg.leftControlAt,
    ...leg.stays.flatMap(({ from, until }) => [from, until]),
  ]);
  return Math.max(0, ...signs.map((at) => at ?? 0)) + 1;
}

type Leg = LiveCall['legs'][number];

/** What a leg that is there shows and we did not know. Times that the switch does not tell are estimates. */
export function presentFacts(
  leg: Leg,
  channel: AriChannel,
  { app, bridges, takenAt }: Snapshot,
  lastAliveAt: number,
  isObserved: boolean,
): Fact[] {
  const facts: Fact[] = [];
  if (leg.createdAt === null) facts.push(createdFact(channel, takenAt, 'reconcile'));
  const estimate = (kind: 'ringing' | 'answered' | 'left-control', at = takenAt): Fact => ({
    leg: leg.id,
    kind,
    key: '',
    at,
    source: 'estimate',
    data: {},
  });
  if (channel.state === 'Ringing' && leg.ringing === null) {
    // A phone rings at once when it is dialled.
    const dialledAt = leg.diallingAt ?? leg.dialSentAt ?? takenAt;
    facts.push(estimate('ringing', Math.min(takenAt, Math.max(lastAliveAt, dialledAt))));
  }
  const ours = isOurs(channel);
  const rooms = bridges
    .filter(({ channels }) => channels?.includes(leg.id) === true)
    .map((bridge) => ({ bridge, at: cameTogetherAt(bridge, channel, takenAt) }));
  // Who meets somebody in a call that the dial plan makes has answered by then.
  const upAt = isObserved ? Math.min(takenAt, ...rooms.map(({ at }) => at)) : takenAt;
  // A caller whom the dial plan answered in its fall-back was not answered by an agent.
  if (channel.state === 'Up' && (leg.pickedUp ?? leg.answered) === null && (ours || leg.leftControlAt === null))
    facts.push(estimate('answered', upAt), gapFact(leg.id, 'answer-missed', upAt, takenAt));
  if (!ours && !isObserved && leg.leftControlAt === null && stasisArgs(channel, app) === null)
    facts.push(estimate('left-control'));
  for (const { bridge, at } of rooms) {
    if (leg.stays.some((stay) => stay.room === bridge.id && stay.until === null)) continue;
    const kind = roomKind(bridge);
    facts.push({
      leg: leg.id,
      kind: 'joined',
      key: `${bridge.id}@${at}`,
      at,
      source: 'reconcile',
      data: { room: bridge.id, ...(kind !== null && { in: kind }) },
    });
  }
  return facts;
}

/** When a leg came into a room that it is in: no sooner than both were there. */
function cameTogetherAt(bridge: AriBridge, channel: AriChannel, takenAt: number): number {
  return Math.max(parseAriTime(bridge.creationtime) ?? takenAt, parseAriTime(channel.creationtime) ?? 0);
}

/** Arguments that the dial plan gave to our app, when the channel is in it now. */
export function stasisArgs(channel: AriChannel, app: string): readonly string[] | null {
  const { app_name: name, app_data: data } = channel.dialplan ?? {};
  if (name !== 'Stasis' || data === undefined) return null;
  const [first, ...args] = data.split(',');
  return first === app ? args : null;
}

function endedFact(leg: string, at: number, source: 'estimate' | 'reconcile', text: string | null): Fact {
  return { leg, kind: 'ended', key: '', at, source, data: { q850: null, sip: null, text } };
}

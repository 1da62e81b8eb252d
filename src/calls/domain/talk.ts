import type { CallState, LegState, Span } from './call-state.js';
import { tenure } from './transfer.js';

/** A stretch of time in which the remote party and an agent could hear each other. */
export type Talk = {
  readonly remote: LegState;
  readonly agent: LegState;
  readonly from: number;
  readonly until: number | null;
  readonly estimated: boolean;
};

/**
 * Two parties talk while their legs are in one room and both are answered. (A leg may be in the room earlier: early media.)
 * A caller whom we joined to an answered agent counts as answered even if the switch's word for it was lost. Who is consulted
 * is in the room too, and talks with the other party only once that has gone to him.
 */
export function talks(state: CallState): readonly Talk[] {
  const found: Talk[] = [];
  for (const remote of state.legs.filter(({ side }) => side === 'remote')) {
    for (const agent of state.legs.filter(({ side }) => side === 'agent')) {
      const had = tenure(state, agent);
      if (agent.answered === null || had === null) continue;
      for (const mine of remote.stays) {
        const remoteAnswered =
          remote.answered ?? (state.placed.direction === 'inbound' ? { at: mine.from, estimated: false } : null);
        if (remoteAnswered === null) continue;
        for (const theirs of agent.stays) {
          if (theirs.room !== mine.room) continue;
          const from = Math.max(mine.from, theirs.from, remoteAnswered.at, agent.answered.at, had.from);
          const until = earliest(earliest(mine.until, theirs.until), had.until);
          if (until !== null && until < from) continue;
          found.push({
            remote,
            agent,
            from,
            until,
            estimated: mine.estimated || theirs.estimated || remoteAnswered.estimated || agent.answered.estimated,
          });
        }
      }
    }
  }
  return found.toSorted((a, b) => a.from - b.from);
}

/** Time talked in stretches that are over, earliest first, ms. What overlaps counts once. */
export function talkedMs(stretches: readonly Span[]): number {
  let total = 0;
  let counted = -Infinity;
  for (const { from, until } of stretches) {
    if (until === null) continue;
    total += Math.max(0, until - Math.max(from, counted));
    counted = Math.max(counted, until);
  }
  return total;
}

/** One of these parties has the other on hold: now or, where their talk is over, as it ended. */
export function isOnHold(parties: readonly LegState[], { until }: Span): boolean {
  const end = until ?? Infinity;
  return parties.some(({ holds }) =>
    holds.some((hold) => hold.from <= end && (hold.until === null || hold.until > end)),
  );
}

/** The stretch that lasts. */
export function presentTalk(stretches: readonly Talk[]): Talk | undefined {
  return stretches.findLast(({ until }) => until === null);
}

/** Whole seconds that each leg of ours talked, by its id: rounded so that they add up to those of the call. */
export function talkSecondsOfLegs(stretches: readonly Talk[]): ReadonlyMap<string, number> {
  const shares = new Map<string, number>();
  for (const [i, { agent }] of stretches.entries()) {
    const [before, after] = [i, i + 1].map((end) => Math.round(talkedMs(stretches.slice(0, end)) / 1000));
    shares.set(agent.id, (shares.get(agent.id) ?? 0) + (after as number) - (before as number));
  }
  return shares;
}

function earliest(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : Math.min(a, b);
}

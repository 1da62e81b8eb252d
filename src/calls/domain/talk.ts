import type { CallState, LegState, Span } from './call-state.js';

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
 * A caller whom we joined to an answered agent counts as answered even if the switch's word for it was lost.
 */
export function talks(state: CallState): readonly Talk[] {
  const found: Talk[] = [];
  for (const remote of state.legs.filter(({ side }) => side === 'remote')) {
    for (const agent of state.legs.filter(({ side }) => side === 'agent')) {
      if (agent.answered === null) continue;
      for (const mine of remote.stays) {
        const remoteAnswered =
          remote.answered ?? (state.placed.direction === 'inbound' ? { at: mine.from, estimated: false } : null);
        if (remoteAnswered === null) continue;
        for (const theirs of agent.stays) {
          if (theirs.room !== mine.room) continue;
          const from = Math.max(mine.from, theirs.from, remoteAnswered.at, agent.answered.at);
          const until = earliest(mine.until, theirs.until);
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

function earliest(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : Math.min(a, b);
}

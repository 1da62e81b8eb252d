import type { CallState, LegState } from '../domain/call-state.js';
import type { Talk } from '../domain/talk.js';
import type { Command, DecisionBuilder } from './decision.js';

/**
 * Puts the other party on hold or takes it off it, as was asked for last; while a transfer is under way it is on hold.
 * @param by Who of ours has the call.
 * @param before What has to be done first.
 */
export function decideHold(
  decision: DecisionBuilder,
  state: CallState,
  remote: LegState,
  by: LegState,
  before: readonly Command[] = [],
): void {
  const { held, place } = holdWish(state);
  if (held !== state.isOnHold)
    decision.chain(...before, { key: `hold:${place}`, do: 'hold-leg', leg: remote.id, by: by.id, held, place });
  else if (before.length > 0) decision.chain(...before);
}

/** Puts who of ours talks on mute, as was asked for last since he got the call. */
export function decideMute(
  decision: DecisionBuilder,
  { muteAsks, transfers }: CallState,
  talk: Talk | undefined,
): void {
  if (talk?.until !== null) return;
  const { agent } = talk;
  const since = Math.max(...transfers.map(({ done }) => done?.at ?? 0));
  const muted = muteAsks.findLast(({ at }) => at >= since)?.muted ?? false;
  if (muted === agent.isMuted) return;
  const place = muteAsks.length;
  decision.chain({ key: `mute:${place}`, do: 'mute-leg', leg: agent.id, muted, place });
}

/** What is wanted, and its place among all that was wanted. A transfer that is over takes the other party off hold. */
function holdWish({ holdAsks, transfers }: CallState): { readonly held: boolean; readonly place: number } {
  const over = transfers.flatMap(({ done, failed }) => (done ?? failed)?.at ?? []);
  const place = holdAsks.length + transfers.length + over.length;
  if (transfers.length > over.length) return { held: true, place };
  const since = Math.max(...over);
  return { held: holdAsks.findLast(({ at }) => at >= since)?.held ?? false, place };
}

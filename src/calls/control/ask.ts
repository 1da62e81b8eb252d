import { isOver, type LegState } from '../domain/call-state.js';
import type { Command, DecisionBuilder } from './decision.js';

/** How long whoever answers an outside phone may take to press 1, seconds: he hears the question twice in that time. */
export const ASK_SECONDS = 15;
/** The switch itself ends who is asked this much later, should we be gone, seconds. */
const ABANDONED_SECONDS = 5;

/** Names the commands by which a leg is asked: the question, and the lease that bounds it. */
export function askKeys(leg: string): { readonly question: string; readonly lease: string } {
  return { question: `ask:${leg}`, lease: `lease:ask:${leg}` };
}

/**
 * Asks who answered an outside phone to press 1: only then has he the call. Who presses another key, or none in time, is sent
 * away. After a restart the question begins anew, as a key that was pressed meanwhile is not known; the time does not.
 * @returns the legs that are still being asked
 */
export function decideAsking(decision: DecisionBuilder, legs: readonly LegState[], now: number): readonly LegState[] {
  const asked: LegState[] = [];
  for (const leg of legs) {
    if (leg.pickedUp === null || leg.answered !== null || isOver(leg) || leg.released !== null) continue;
    if (leg.hangupAsked !== null) continue;
    const until = leg.pickedUp.at + ASK_SECONDS * 1000;
    if (leg.isDeclined || now >= until) {
      decision.release([leg], 'not-confirmed');
      continue;
    }
    const seconds = Math.ceil((until - now) / 1000) + ABANDONED_SECONDS;
    // Not in one chain: while a leg hears something the switch does nothing else with it, a lease included.
    const keys = askKeys(leg.id);
    decision.chain({ key: keys.lease, do: 'renew-lease', leg: leg.id, seconds });
    decision.chain({ key: keys.question, do: 'ask-leg', leg: leg.id });
    decision.wakeAt(until);
    asked.push(leg);
  }
  return asked;
}

/** Who pressed 1 is no longer ended by the lease of the question. */
export function keepConfirmed(decision: DecisionBuilder, leg: LegState, seconds: number): void {
  if (leg.pickedUp === null) return;
  const lease = { key: `lease:confirmed:${leg.id}`, do: 'renew-lease', leg: leg.id, seconds } as const;
  decision.chain(...endQuestions([leg]), lease);
}

/** What a leg hears ends before it comes into a room: the switch would let it come in only afterwards. */
export function endQuestions(legs: readonly LegState[]): readonly Command[] {
  return legs
    .filter(({ pickedUp }) => pickedUp !== null)
    .map(({ id }) => ({ key: `asked:${id}`, do: 'stop-asking', leg: id }));
}

import { isOver } from '../domain/call-state.js';
import type { ObservedState } from '../domain/observed.js';
import { DecisionBuilder, type Decision } from './decision.js';

/**
 * A call that the dial plan makes: all that is done for it is to end it, where that is asked for. Who came into the dial plan by
 * himself goes first, or by what the switch itself began it, and what that had dialled goes with it; the other way round the dial
 * plan would go on, to voicemail or to the next phone. What it dials all the same until it hears of that is ended too.
 */
export function decideObserved({ cancelAsked, legs }: ObservedState, now: number): Decision {
  const decision = new DecisionBuilder({ legs }, now);
  if (cancelAsked !== null) {
    const origins = legs.filter(({ isOrigin, isOriginated }) => isOrigin || isOriginated);
    const wereAsked = origins.every((leg) => isOver(leg) || leg.hangupAsked !== null);
    decision.release(wereAsked ? legs : origins, 'cancelled');
  }
  return decision.done();
}

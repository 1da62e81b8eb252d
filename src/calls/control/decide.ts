import { isOver, type CallState } from '../domain/call-state.js';
import { decideClickToCall } from './click-to-call.js';
import { DecisionBuilder, type Decision } from './decision.js';
import { holdingLeg } from './legs.js';
import { decideRingLine } from './ring-line.js';
import { decideWishes } from './wishes.js';

/** What to do next with a call that Ringline drives. Pure. */
export function decide(callId: string, state: CallState, now: number): Decision {
  const { plan } = state.placed;
  if (isBeingPassedOn(state)) {
    const decision = new DecisionBuilder(state, now);
    decideWishes(decision, state, undefined, now);
    return decision.done();
  }
  return plan.kind === 'ring-line'
    ? decideRingLine(callId, plan, state, now)
    : decideClickToCall(callId, plan, state, now);
}

/**
 * The switch put another leg into the place of the one that had the other party. Until it is known who that is, nothing is
 * done for the call: neither has the other party lost its partner, nor is anybody to be rung for it.
 */
function isBeingPassedOn(state: CallState): boolean {
  const remote = state.legs.find(({ side }) => side === 'remote');
  return (
    holdingLeg(state)?.takenOver != null &&
    state.cancelAsked === null &&
    state.handedBack === null &&
    remote !== undefined &&
    !isOver(remote) &&
    remote.leftControlAt === null
  );
}

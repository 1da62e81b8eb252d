import { isOver, type CallState, type LegState } from '../domain/call-state.js';
import type { Plan } from '../domain/plan.js';
import { talks } from '../domain/talk.js';
import type { DecisionBuilder } from './decision.js';
import { decideDigits } from './digits.js';
import { decideHold, decideMute } from './hold.js';
import { decideRecording } from './recording.js';
import { decideWishes } from './wishes.js';

/** A call at a moment, as a plan decides on it. */
export type PlannedCall = {
  readonly callId: string;
  readonly plan: Plan;
  readonly state: CallState;
  readonly now: number;
};

/**
 * What may be asked for once an agent has taken the call, whoever was called first; and its longest talk.
 * @param remote The other party, as far as it is there.
 * @param winner Who took the call.
 */
export function decideTalking(
  decision: DecisionBuilder,
  { callId, plan, state, now }: PlannedCall,
  remote: LegState | undefined,
  winner: LegState,
): void {
  const [talk] = talks(state);
  if (talk !== undefined) decision.limit(talk.from, plan.limitSeconds);
  if (remote !== undefined && talk?.until === null) decideHold(decision, state, remote, winner);
  decideMute(decision, state, talk);
  decideDigits(decision, state, talk, now);
  decideWishes(decision, state, talk, now);
  if (!isOver(winner)) decideRecording(decision, callId, plan, state, talk);
}

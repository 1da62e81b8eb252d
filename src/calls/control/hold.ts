import type { CallState } from '../domain/call-state.js';
import type { Talk } from '../domain/talk.js';
import type { DecisionBuilder } from './decision.js';

/** Puts the other party on hold, and the agent on mute, as was asked for last. */
export function decideHold(decision: DecisionBuilder, state: CallState, talk: Talk | undefined): void {
  if (talk?.until !== null) return;
  const { remote, agent } = talk;
  const { holdAsks, muteAsks } = state;
  const held = holdAsks.at(-1)?.held ?? false;
  if (held !== agent.isHolding) {
    const place = holdAsks.length;
    decision.chain({ key: `hold:${place}`, do: 'hold-leg', leg: remote.id, by: agent.id, held, place });
  }
  const muted = muteAsks.at(-1)?.muted ?? false;
  if (muted !== agent.isMuted) {
    const place = muteAsks.length;
    decision.chain({ key: `mute:${place}`, do: 'mute-leg', leg: agent.id, muted, place });
  }
}

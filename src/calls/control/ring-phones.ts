import { isOver, type LegState } from '../domain/call-state.js';
import type { AgentPhone } from '../domain/plan.js';
import type { LegDisplay } from '../telephony-switch.js';
import type { DecisionBuilder } from './decision.js';
import { agentEndpoint, phoneOf } from './legs.js';

/** Makes the legs of phones that are not there yet. Rings nobody. */
export function createPhoneLegs(
  decision: DecisionBuilder,
  phones: readonly AgentPhone[],
  legs: readonly LegState[],
  display: Omit<LegDisplay, 'autoAnswer'>,
  leaseSeconds: number,
): void {
  for (const leg of legs) {
    const phone = phoneOf(phones, leg);
    if (phone === null || isOver(leg) || leg.createdAt !== null || leg.released !== null) continue;
    decision.chain({
      key: `create:${leg.id}`,
      do: 'create-leg',
      leg: {
        leg: leg.id,
        endpoint: agentEndpoint(phone, leg),
        display: { ...display, autoAnswer: phone.autoAnswer },
        party: 'phone',
        leaseSeconds,
      },
    });
  }
}

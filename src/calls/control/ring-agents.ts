import type { CallLine } from '../domain/call.js';
import { isOver, type LegState } from '../domain/call-state.js';
import type { AgentPhone, ClickToCall, OutsidePhone } from '../domain/plan.js';
import type { LegDisplay } from '../telephony-switch.js';
import { ASK_SECONDS } from './ask.js';
import { LEASE_MARGIN_SECONDS, type DecisionBuilder } from './decision.js';
import { agentEndpoint, liveLegs, phoneOf } from './legs.js';
import { createOutsideLegs } from './outside-legs.js';

/** Whom a call's agents see, beside how each phone answers. */
type Shown = Omit<LegDisplay, 'autoAnswer'>;

/** The phones and outside numbers of a call's agents, with their legs. */
type Rung = {
  readonly callId: string;
  readonly phones: readonly AgentPhone[];
  readonly outside?: readonly OutsidePhone[] | undefined;
  readonly line: CallLine;
  readonly agents: readonly LegState[];
  readonly display: Shown;
  /** How long they ring, should we be gone, seconds. */
  readonly dialSeconds: number;
  /** What bounds all that may follow, seconds. */
  readonly leaseSeconds: number;
};

/** Makes the legs of those who are rung, and dials them as soon as they are there. */
export function ringAgents(decision: DecisionBuilder, rung: Rung): void {
  const { phones, agents, display, dialSeconds, leaseSeconds } = rung;
  createPhoneLegs(decision, phones, agents, display, leaseSeconds);
  createOutsideLegs(decision, rung, agents, { guarded: dialSeconds + ASK_SECONDS, open: leaseSeconds });
  decision.dial(agents, dialSeconds);
}

/** Their time is over. Who answered in time has his time to press 1. */
export function stopRinging(decision: DecisionBuilder, agents: readonly LegState[], asked: readonly LegState[]): void {
  decision.release(
    liveLegs(agents).filter((leg) => !asked.includes(leg)),
    'no-answer',
  );
}

/** Rings the agent of a click: he sees whom it calls, and is the line to whoever joins the room. */
export function ringForClick(
  decision: DecisionBuilder,
  callId: string,
  plan: ClickToCall,
  agents: readonly LegState[],
  leaseSeconds: number,
): void {
  const { to, line, agentRingSeconds } = plan;
  const display = { shownNumber: to.e164 ?? to.raw, shownName: to.name, ownNumber: line.number };
  const dialSeconds = agentRingSeconds + LEASE_MARGIN_SECONDS;
  ringAgents(decision, { ...plan, callId, agents, display, dialSeconds, leaseSeconds });
}

/** Makes the legs of phones that are not there yet. Rings nobody. */
export function createPhoneLegs(
  decision: DecisionBuilder,
  phones: readonly AgentPhone[],
  legs: readonly LegState[],
  display: Shown,
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

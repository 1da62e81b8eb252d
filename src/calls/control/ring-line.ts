import type { OutcomeReason } from '../domain/call.js';
import { isOver, type CallState, type LegState } from '../domain/call-state.js';
import type { Fact } from '../domain/fact.js';
import { agentReason, isBlocked } from '../domain/outcome.js';
import type { RingLine } from '../domain/plan.js';
import { talks } from '../domain/talk.js';
import { decideAsking, keepConfirmed } from './ask.js';
import { DecisionBuilder, enter, LIMIT_MARGIN_SECONDS, tie, type Decision } from './decision.js';
import { agentLegs, isOnlyPlanned, roomOf, winningLeg } from './legs.js';
import { laterLegsOf, plannedLegsOf } from './outside-legs.js';
import { ringAgents, stopRinging } from './ring-agents.js';
import { decideTalking } from './talking.js';
import { decideTransfers } from './transfer.js';

/** The dial plan gives us this long before its dead-man timer takes the caller back, seconds; we renew twice as often. */
const LEASE_SECONDS = 8;
const RENEW_EVERY_MS = 4_000;

/**
 * An incoming call to a line: all contacts of its agents' phones ring, the first to answer gets the caller, the others
 * stop. Where somebody has the caller as his contact he may ring alone at first. Whatever fails, the caller goes back to the
 * dial plan's fall-back; but a blocked one is refused, as that would ring.
 */
export function decideRingLine(callId: string, plan: RingLine, state: CallState, now: number): Decision {
  const decision = new DecisionBuilder(state, now);
  const room = roomOf(callId);
  const caller = state.legs.find(({ id }) => id === plan.callerLeg);
  const agents = agentLegs(state);
  const winner = winningLeg(state);

  if (state.legs.every(isOver)) {
    if (winner !== null) decision.chain({ key: 'close-room', do: 'close-room', room });
    return decision.done();
  }
  const isOurs = state.handedBack === null && (caller?.leftControlAt === null || caller?.ended != null);
  if (state.transfers.length > 0 && caller !== undefined && isOurs && state.cancelAsked === null) {
    // Who cannot be given back to who transferred him goes to the dial plan.
    return decideTransfers(decision, { callId, plan, state, remote: caller, now }, (reason) =>
      decision.record({ leg: callId, kind: 'handed-back', key: '', data: { reason } }),
    );
  }
  if (caller === undefined || isOver(caller)) {
    if (caller !== undefined && winner !== null && !isOver(winner)) decision.releasePartner(winner, caller);
    decision.release(
      agents.filter((leg) => leg !== winner),
      winner === null ? 'cancelled' : 'answered-elsewhere',
    );
    return decision.done();
  }
  if (isBlocked(state) && state.handedBack === null && caller.leftControlAt === null) {
    decision.release([caller], 'blocked');
    return decision.done();
  }
  if (state.cancelAsked !== null) {
    decision.release(state.legs, 'cancelled');
    return decision.done();
  }
  if (caller.leftControlAt !== null || state.handedBack !== null) {
    decision.release(agents, 'handed-back');
    if (caller.leftControlAt === null)
      decision.chain({ key: 'hand-back', do: 'hand-back', leg: caller.id, isOnHold: state.isOnHold });
    return decision.done();
  }
  const handBack = (reason: OutcomeReason): Decision => {
    decision.record({ leg: callId, kind: 'handed-back', key: '', data: { reason } });
    return decision.done();
  };

  if (winner !== null) {
    decision.release(
      agents.filter((leg) => leg !== winner),
      'answered-elsewhere',
    );
    const [talk] = talks(state);
    if (isOver(winner)) {
      if (talk === undefined) return handBack('agent-hung-up');
      decision.releasePartner(caller, winner);
    } else if (winner.released === null && caller.hangupAsked === null) {
      // Side by side: were we to stop here, nobody may be left with a partner who is gone.
      decision.chain(...tie(caller, winner));
      decision.chain(...tie(winner, caller));
      keepConfirmed(decision, winner, plan.limitSeconds + LIMIT_MARGIN_SECONDS);
      decision.chain({ key: 'answer', do: 'answer-leg', leg: caller.id }, ...enter(room, caller, winner), {
        key: 'limit',
        do: 'renew-lease',
        leg: caller.id,
        seconds: plan.limitSeconds + LIMIT_MARGIN_SECONDS,
      });
    }
    decideTalking(decision, { callId, plan, state, now }, caller, winner);
    return decision.done();
  }

  keepLease(decision, caller, state.placed.at, now);
  const first = agents.length === 0 ? plannedLegsOf(callId, plan, now) : [];
  if (first.length > 0) {
    // Of whom only the log told nothing was planned, and he turned out to be there.
    for (const planned of first) decision.record(planned);
    return decision.done();
  }
  const aloneUntil = aloneUntilMs(plan, state, agents);
  if (aloneUntil !== null && (now >= aloneUntil || agents.every(isOver))) {
    for (const planned of laterLegsOf(callId, plan, now)) decision.record(planned);
    return decision.done();
  }
  if (aloneUntil !== null) decision.wakeAt(aloneUntil);
  ringPhones(decision, callId, plan, state, agents);
  const asked = decideAsking(decision, agents, now);
  if (agents.every(isOver)) return handBack(agentReason(agents));
  const deadline = state.placed.at + plan.ringSeconds * 1000;
  if (now < deadline) decision.wakeAt(deadline);
  else {
    stopRinging(decision, agents, asked);
    if (asked.length === 0) return handBack(agentReason(agents));
  }
  return decision.done();
}

/**
 * Gives a caller back at once while more is asked of the switch than it can do: nothing was asked for him yet. Null where that
 * is too late, or would spare a blocked one his refusal.
 */
export function turnAway(callId: string, state: CallState, now: number): readonly Fact[] | null {
  const agents = agentLegs(state);
  const callers = state.legs.filter((leg) => !agents.includes(leg));
  const isNew =
    state.handedBack === null &&
    state.cancelAsked === null &&
    callers.every((leg) => !isOver(leg) && leg.leftControlAt === null) &&
    agents.every(isOnlyPlanned);
  if (!isNew || isBlocked(state)) return null;
  const moment = { at: now, source: 'ringline', key: '' } as const;
  const data = { reason: 'overloaded', text: 'the PBX, or Ringline, had more to do than it could' } as const;
  return [
    { ...moment, leg: callId, kind: 'handed-back', data: { reason: data.reason } },
    ...agents.map(({ id }) => ({ ...moment, leg: id, kind: 'refused', data }) as const),
  ];
}

function ringPhones(
  decision: DecisionBuilder,
  callId: string,
  plan: RingLine,
  state: CallState,
  agents: readonly LegState[],
): void {
  const { from, line } = state.placed;
  for (const [phone, { agentId, endpoint }] of plan.phones.entries()) {
    if (!agents.some((leg) => leg.agentId === agentId)) continue;
    const rung = { transfer: null, phone, agentId, endpoint };
    decision.chain({ key: `contacts:${endpoint}`, do: 'find-contacts', rung, viaLeg: plan.callerLeg });
  }
  ringAgents(decision, {
    ...plan,
    callId,
    line,
    agents,
    display: { shownNumber: from.e164 ?? from.raw, shownName: from.name ?? line.name, ownNumber: line.number },
    dialSeconds: plan.ringSeconds + LEASE_SECONDS,
    leaseSeconds: plan.ringSeconds + plan.limitSeconds + LIMIT_MARGIN_SECONDS,
  });
  if (agents.some(({ ringing }) => ringing !== null)) {
    decision.chain({ key: 'tell-ringing', do: 'tell-ringing', leg: plan.callerLeg });
  }
}

/** Until when one agent rings alone, ms; null where all ring, or nobody else is there to ring. */
function aloneUntilMs(plan: RingLine, { placed }: CallState, agents: readonly LegState[]): number | null {
  const { first, phones, outside = [] } = plan;
  if (first === undefined || agents.some(({ agentId }) => agentId !== first.agentId)) return null;
  const others = [...phones, ...outside].some(({ agentId }) => agentId !== first.agentId);
  return others ? placed.at + first.seconds * 1000 : null;
}

/** While we work on the call its caller stays with us; if we fall silent the dial plan takes over. */
function keepLease(decision: DecisionBuilder, caller: LegState, since: number, now: number): void {
  const turn = Math.floor((now - since) / RENEW_EVERY_MS);
  if (turn > 0) decision.chain({ key: `lease:${turn}`, do: 'renew-lease', leg: caller.id, seconds: LEASE_SECONDS });
  decision.wakeAt(since + (turn + 1) * RENEW_EVERY_MS);
}

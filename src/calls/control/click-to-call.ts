import { isOver, type CallState, type LegState } from '../domain/call-state.js';
import type { ClickToCall } from '../domain/plan.js';
import { decideAsking, keepConfirmed } from './ask.js';
import { decideCustomerFirst } from './customer-first.js';
import { DecisionBuilder, enter, LEASE_MARGIN_SECONDS, LIMIT_MARGIN_SECONDS, tie, type Decision } from './decision.js';
import { agentLegs, phoneOf, roomOf, winningLeg } from './legs.js';
import { createRemoteLeg, plannedRemote } from './remote-leg.js';
import { ringForClick, stopRinging } from './ring-agents.js';
import { decideTalking } from './talking.js';
import { decideTransfers } from './transfer.js';

/**
 * Click-to-call, agent first unless the plan says otherwise: all contacts of the agent's phones ring, the first to answer is
 * joined with the other party, whose leg comes into the room before it is dialled, so that the agent hears ringing and
 * announcements.
 */
export function decideClickToCall(callId: string, plan: ClickToCall, state: CallState, now: number): Decision {
  const decision = new DecisionBuilder(state, now);
  const room = roomOf(callId);
  const agents = agentLegs(state);
  const winner = winningLeg(state);
  const remote = state.legs.find(({ side }) => side === 'remote');

  if (state.legs.every(isOver)) {
    if (winner !== null) decision.chain({ key: 'close-room', do: 'close-room', room });
    return decision.done();
  }
  if (state.cancelAsked !== null) {
    decision.release(state.legs, state.cancelAsked.reason === 'service-stopped' ? 'service-stopped' : 'cancelled');
    return decision.done();
  }
  if (state.transfers.length > 0 && remote !== undefined) {
    return decideTransfers(decision, { callId, plan, state, remote, now }, () =>
      decision.release([remote], 'transfer-failed'),
    );
  }
  if (plan.order === 'customer-first') {
    if (remote !== undefined) decideCustomerFirst(decision, { callId, plan, state, now }, remote);
    return decision.done();
  }
  if (winner === null) {
    ringAgent(decision, callId, plan, state, agents, now);
    return decision.done();
  }

  decision.release(
    agents.filter((leg) => leg !== winner),
    'answered-elsewhere',
  );
  if (isOver(winner)) {
    if (remote !== undefined && !isOver(remote)) decision.releasePartner(remote, winner);
    return decision.done();
  }
  if (remote !== undefined && isOver(remote)) {
    decision.releasePartner(winner, remote);
    return decision.done();
  }
  if (winner.hangupAsked !== null || winner.released !== null) return decision.done();
  decideTalking(decision, { callId, plan, state, now }, remote, winner);
  keepConfirmed(decision, winner, plan.remoteRingSeconds + plan.limitSeconds + LIMIT_MARGIN_SECONDS);
  callRemote(decision, { callId, room, plan, winner, remote, now });
  return decision.done();
}

function ringAgent(
  decision: DecisionBuilder,
  callId: string,
  plan: ClickToCall,
  state: CallState,
  agents: readonly LegState[],
  now: number,
): void {
  const leaseSeconds = plan.agentRingSeconds + plan.remoteRingSeconds + plan.limitSeconds + LIMIT_MARGIN_SECONDS;
  ringForClick(decision, callId, plan, agents, leaseSeconds);
  for (const [place, phone] of plan.phones.entries()) {
    // The first leg of a phone rings its first address; it also tells whether there are others.
    const first = agents.find(
      (leg) => leg.contact === null && phoneOf([phone], leg) !== null && leg.createdAt !== null,
    );
    if (first === undefined || isOver(first)) continue;
    const { agentId, endpoint } = phone;
    const rung = { transfer: null, phone: place, agentId, endpoint };
    decision.chain({ key: `contacts:${endpoint}`, do: 'find-contacts', rung, viaLeg: first.id });
  }
  const asked = decideAsking(decision, agents, now);
  const deadline = state.placed.at + plan.agentRingSeconds * 1000;
  if (now < deadline) decision.wakeAt(deadline);
  else stopRinging(decision, agents, asked);
}

function callRemote(
  decision: DecisionBuilder,
  call: {
    callId: string;
    room: string;
    plan: ClickToCall;
    winner: LegState;
    remote: LegState | undefined;
    now: number;
  },
): void {
  const { callId, room, plan, winner, remote, now } = call;
  const agentEnters = enter(room, winner);
  if (agentEnters.length > 0) decision.chain(...agentEnters);
  if (remote === undefined) {
    decision.record(plannedRemote(callId, plan));
    return;
  }
  if (remote.released !== null) return;
  if (remote.createdAt === null) {
    createRemoteLeg(decision, plan, remote, plan.remoteRingSeconds + plan.limitSeconds + LIMIT_MARGIN_SECONDS);
    return;
  }
  // It comes into the room before it is dialled, so that the agent hears its ringing and its announcements.
  const joined = [...agentEnters, ...enter(room, remote)];
  decision.chain(...joined, ...tie(winner, remote), ...tie(remote, winner));
  if (remote.answered !== null) return;
  decision.dial([remote], plan.remoteRingSeconds + LEASE_MARGIN_SECONDS, joined);
  const deadline = (remote.plannedAt ?? now) + plan.remoteRingSeconds * 1000;
  if (now >= deadline) decision.release([remote], 'no-answer');
  else decision.wakeAt(deadline);
}

import { isOver, type CallState, type LegState } from '../domain/call-state.js';
import type { ClickToCall } from '../domain/plan.js';
import { ASK_SECONDS, decideAsking, keepConfirmed } from './ask.js';
import { enter, LEASE_MARGIN_SECONDS, LIMIT_MARGIN_SECONDS, tie, type DecisionBuilder } from './decision.js';
import { agentLegs, roomOf, winningLeg } from './legs.js';
import { plannedLegsOf } from './outside-legs.js';
import { createRemoteLeg } from './remote-leg.js';
import { ringForClick, stopRinging } from './ring-agents.js';
import { decideTalking, type PlannedCall } from './talking.js';

/**
 * Click-to-call, customer first: the other party is called, and once it has answered all contacts of the agent's phones ring,
 * and his outside numbers, while it hears ringing. The first to answer is joined with it. When nobody takes the call it is hung up on.
 */
export function decideCustomerFirst(
  decision: DecisionBuilder,
  call: PlannedCall & { readonly plan: ClickToCall },
  remote: LegState,
): void {
  const { callId, plan, state, now } = call;
  const agents = agentLegs(state);
  const winner = winningLeg(state);
  if (isOver(remote) || remote.released !== null) {
    if (isOver(remote) && winner !== null && !isOver(winner)) decision.releasePartner(winner, remote);
    return decision.release(
      agents.filter((leg) => leg !== winner),
      winner === null ? 'other-side-left' : 'answered-elsewhere',
    );
  }
  if (remote.answered === null) return callRemote(decision, plan, state, remote, now);
  if (winner === null)
    return ringAgent(decision, { callId, plan, remote, agents, answeredAt: remote.answered.at, now });
  decision.release(
    agents.filter((leg) => leg !== winner),
    'answered-elsewhere',
  );
  if (isOver(winner)) return decision.releasePartner(remote, winner);
  if (winner.hangupAsked !== null || winner.released !== null || remote.hangupAsked !== null) return;
  // Side by side: were we to stop here, nobody may be left with a partner who is gone.
  decision.chain(...tie(remote, winner));
  decision.chain(...tie(winner, remote));
  keepConfirmed(decision, winner, plan.limitSeconds + LIMIT_MARGIN_SECONDS);
  decision.chain(...enter(roomOf(callId), remote, winner), {
    key: 'limit',
    do: 'renew-lease',
    leg: remote.id,
    seconds: plan.limitSeconds + LIMIT_MARGIN_SECONDS,
  });
  decideTalking(decision, call, remote, winner);
}

function callRemote(
  decision: DecisionBuilder,
  plan: ClickToCall,
  state: CallState,
  remote: LegState,
  now: number,
): void {
  const deadline = state.placed.at + plan.remoteRingSeconds * 1000;
  if (now >= deadline) return decision.release([remote], 'no-answer');
  decision.wakeAt(deadline);
  // Should we be gone by the time it answers, it hears ringing no longer than an agent may take.
  const askSeconds = (plan.outside ?? []).some(({ guarded }) => guarded) ? ASK_SECONDS : 0;
  const leaseSeconds = plan.remoteRingSeconds + plan.agentRingSeconds + askSeconds + 2 * LEASE_MARGIN_SECONDS;
  if (remote.createdAt === null) createRemoteLeg(decision, plan, remote, leaseSeconds);
  decision.dial([remote], plan.remoteRingSeconds + LEASE_MARGIN_SECONDS);
}

function ringAgent(
  decision: DecisionBuilder,
  call: {
    readonly callId: string;
    readonly plan: ClickToCall;
    readonly remote: LegState;
    readonly agents: readonly LegState[];
    readonly answeredAt: number;
    readonly now: number;
  },
): void {
  const { callId, plan, remote, agents, answeredAt, now } = call;
  if (agents.length === 0) {
    for (const planned of plannedLegsOf(callId, plan, now)) decision.record(planned);
    return;
  }
  const asked = decideAsking(decision, agents, now);
  const deadline = answeredAt + plan.agentRingSeconds * 1000;
  if (now >= deadline) stopRinging(decision, agents, asked);
  if (agents.every(isOver) || (now >= deadline && asked.length === 0))
    return decision.release([remote], 'other-side-left');
  if (now >= deadline) return;
  decision.wakeAt(deadline);
  for (const [phone, { agentId, endpoint }] of plan.phones.entries()) {
    const rung = { transfer: null, phone, agentId, endpoint };
    decision.chain({ key: `contacts:${endpoint}`, do: 'find-contacts', rung, viaLeg: remote.id });
  }
  const leaseSeconds = plan.agentRingSeconds + plan.limitSeconds + LIMIT_MARGIN_SECONDS;
  ringForClick(decision, callId, plan, agents, leaseSeconds);
  // An answered party hears a tone, which the first sound from the room ends.
  if (agents.some(({ ringing }) => ringing !== null))
    decision.chain({ key: 'tell-ringing', do: 'tell-ringing', leg: remote.id });
}

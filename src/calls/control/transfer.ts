import { extensionEndpoint, takingEndpoint, trunkEndpoint, type DialEndpoint } from '../../numbers/dial-endpoint.js';
import type { OutcomeReason } from '../domain/call.js';
import { isOver, type LegState } from '../domain/call-state.js';
import { agentReason, remoteVerdict } from '../domain/outcome.js';
import type { Consulted, TransferTarget } from '../domain/plan.js';
import { presentTalk, talks } from '../domain/talk.js';
import { isUnderWay, transferKey, type TransferState } from '../domain/transfer.js';
import {
  enter,
  LEASE_MARGIN_SECONDS,
  LIMIT_MARGIN_SECONDS,
  type Command,
  type Decision,
  type DecisionBuilder,
} from './decision.js';
import { decideDigits } from './digits.js';
import { decideHold, decideMute } from './hold.js';
import { agentLegs, firstLegs, holdingLeg, isOurs, roomOf, transferLegs, transferNumberLegId } from './legs.js';
import { decideRecording } from './recording.js';
import { createPhoneLegs } from './ring-agents.js';
import type { PlannedCall } from './talking.js';
import { decideWishes } from './wishes.js';

/** The switch gives up on who is on hold this long after the target's ring time, should we be gone, seconds. */
const ABANDONED_SECONDS = 60;

type TransferredCall = PlannedCall & {
  /** The other party. */
  readonly remote: LegState;
};

/**
 * A call of which a transfer was asked, from then on. While the target rings, and while it is consulted, the other party
 * stays in the room and hears music; who transfers stays too, until he hangs up or the other party is gone to the target.
 * So whatever fails, nothing has to be moved back.
 * @param giveUp The other party can neither get to the target nor back to who transferred it.
 */
export function decideTransfers(
  decision: DecisionBuilder,
  call: TransferredCall,
  giveUp: (reason: OutcomeReason) => void,
): Decision {
  const { callId, plan, state, remote, now } = call;
  const holder = holdingLeg(state);
  const transfer = state.transfers.at(-1);
  if (holder === null || transfer === undefined) return decision.done();
  const others = agentLegs(state).filter(({ id }) => id !== holder.id);
  if (isOver(remote)) {
    if (!isOver(holder)) decision.releasePartner(holder, remote);
    decision.release(others, 'other-side-left');
    return decision.done();
  }
  const [first] = talks(state);
  if (first !== undefined) decision.limit(first.from, plan.limitSeconds);
  if (isUnderWay(transfer)) {
    decision.release(
      others.filter((leg) => leg.transfer !== transfer.place),
      'answered-elsewhere',
    );
    goOn(decision, call, transfer, holder);
  } else {
    decision.release(
      others.filter(({ id }) => id === transfer.done?.from),
      'transferred',
    );
    decision.release(
      others.filter(({ id }) => id !== transfer.done?.from),
      'answered-elsewhere',
    );
    settle(decision, call, transfer, holder, giveUp);
  }
  const talk = presentTalk(talks(state));
  decideMute(decision, state, talk);
  decideDigits(decision, state, talk, now);
  decideWishes(decision, state, talk, now);
  decideRecording(decision, callId, plan, state, talk);
  return decision.done();
}

/** A transfer that is under way: the target rings, or is consulted. */
function goOn(decision: DecisionBuilder, call: TransferredCall, transfer: TransferState, holder: LegState): void {
  const { callId, plan, state, remote, now } = call;
  const { place, mode, ringSeconds } = transfer;
  const legs = transferLegs(state, place);
  const fail = (reason: OutcomeReason): void =>
    decision.record({ leg: callId, kind: 'transfer-failed', key: transferKey(place), data: { reason } });

  // Who transfers may leave; who waits is not left to music for ever.
  const untie: Command = { key: `untie:${holder.id}:${place}`, do: 'retie-legs', leg: holder.id, partner: null };
  if (!isOver(holder)) decision.chain(untie);
  const lease = ringSeconds + ABANDONED_SECONDS;
  decision.chain({ key: `lease:t${place}`, do: 'renew-lease', leg: remote.id, seconds: lease });
  decideHold(decision, state, remote, holder);
  if (transfer.cancelAsked) {
    decision.release(legs, 'cancelled');
    return fail('cancelled-by-api');
  }
  if (legs.length === 0) {
    for (const fact of targetLegs(callId, transfer, now)) decision.record(fact);
    return;
  }
  const taker = legs.find((leg) => leg.answered !== null && leg.released?.why !== 'answered-elsewhere');
  if (taker === undefined) {
    if (legs.every(isOver)) return fail(reasonOf(transfer, legs));
    const deadline = transfer.at + ringSeconds * 1000;
    if (now >= deadline) {
      decision.release(legs, 'no-answer');
      return fail(transfer.target.kind === 'agent' ? agentReason(legs) : 'remote-no-answer');
    }
    decision.wakeAt(deadline);
    ring(decision, call, transfer, legs);
    return;
  }
  decision.release(
    legs.filter((leg) => leg !== taker),
    'answered-elsewhere',
  );
  if (isOver(taker)) return fail('agent-hung-up');
  if (mode === 'blind' || transfer.completeAsked || isOver(holder)) {
    const data = { from: holder.id, to: taker.id };
    decision.record({ leg: callId, kind: 'transferred', key: transferKey(place), data });
    decision.release([holder], 'transferred');
    return;
  }
  const limit = plan.limitSeconds + LIMIT_MARGIN_SECONDS;
  decision.chain(...enter(roomOf(callId), taker), {
    key: `limit:t${place}`,
    do: 'renew-lease',
    leg: remote.id,
    seconds: limit,
  });
}

/** A transfer that is over: the other party is with who has it now. */
function settle(
  decision: DecisionBuilder,
  { callId, plan, state, remote }: TransferredCall,
  transfer: TransferState,
  holder: LegState,
  giveUp: (reason: OutcomeReason) => void,
): void {
  const { place, failed } = transfer;
  if (holder.answered === null) {
    // The switch put it there itself, and whom it calls rings. Left alone, the other party is not let go.
    if (isOver(holder)) giveUp(reasonOf(transfer, [holder]));
    return;
  }
  if (isOver(holder)) {
    // Who left before it had failed is not there to take the other party back.
    if (failed !== null && (holder.ended?.at ?? failed.at) <= failed.at) giveUp(failed.reason);
    else decision.releasePartner(remote, holder);
    return;
  }
  if (holder.released !== null || remote.hangupAsked !== null) return;
  for (const [leg, partner] of [
    [remote, holder],
    [holder, remote],
  ] as const)
    if (partner.name !== null)
      decision.chain({ key: `retie:${leg.id}:${place}`, do: 'retie-legs', leg: leg.id, partner: partner.name });
  const seconds = plan.limitSeconds + LIMIT_MARGIN_SECONDS;
  decision.chain({ key: `limit:s${place}`, do: 'renew-lease', leg: remote.id, seconds });
  // A leg that the switch put there is there.
  decideHold(decision, state, remote, holder, isOurs(holder) ? enter(roomOf(callId), holder) : []);
}

function targetLegs(callId: string, { place, target }: TransferState, now: number): ReturnType<typeof firstLegs> {
  if (target.kind === 'agent') return firstLegs(callId, target.phones, now, place);
  const [agentId, device] =
    target.kind === 'consulted' ? [target.phone?.agentId ?? null, deviceOf(target)] : [null, endpointOf(target)];
  return [
    {
      leg: transferNumberLegId(callId, place),
      kind: 'planned',
      key: '',
      at: now,
      source: 'ringline',
      data: { side: 'agent', agentId, device, contact: null, transfer: place },
    },
  ];
}

/** What the switch dials for a target that is one leg. */
function endpointOf(target: Exclude<TransferTarget, { kind: 'agent' }>): DialEndpoint {
  switch (target.kind) {
    case 'number':
      return trunkEndpoint(target.trunk.number, target.trunk.endpoint);
    case 'extension':
      return extensionEndpoint(target.number.raw, target.context);
    case 'consulted':
      return takingEndpoint;
  }
}

/** The switch names a leg by its device and a number of its own. */
function deviceOf({ phone, name }: Consulted): string {
  return phone === null ? name.replace(/-[^-]*$/, '') : `PJSIP/${phone.endpoint}`;
}

function ring(
  decision: DecisionBuilder,
  { plan, state, remote }: TransferredCall,
  { place, target, ringSeconds }: TransferState,
  legs: readonly LegState[],
): void {
  const leaseSeconds = ringSeconds + plan.limitSeconds + LIMIT_MARGIN_SECONDS;
  const { direction, from, to, line } = state.placed;
  const other = direction === 'inbound' ? from : to;
  // Inside the company one sees who is on the line.
  const display = {
    shownNumber: other.e164 ?? other.raw,
    shownName: other.name ?? line.name,
    ownNumber: line.number,
  };
  if (target.kind === 'agent') {
    for (const [phone, { agentId, endpoint }] of target.phones.entries()) {
      const rung = { transfer: place, phone, agentId, endpoint };
      decision.chain({ key: `contacts:${place}:${endpoint}`, do: 'find-contacts', rung, viaLeg: remote.id });
    }
    createPhoneLegs(decision, target.phones, legs, display, leaseSeconds);
  } else {
    for (const leg of legs) {
      if (isOver(leg) || leg.createdAt !== null || leg.released !== null) continue;
      const ownNumber = target.number.e164 ?? target.number.raw;
      const shown = target.kind === 'extension' ? display : { shownNumber: line.number, shownName: null, ownNumber };
      decision.chain({
        key: `create:${leg.id}`,
        do: 'create-leg',
        leg: {
          leg: leg.id,
          endpoint: endpointOf(target),
          display: { ...shown, autoAnswer: 'none' },
          leaseSeconds,
          party: 'outside',
          ...(target.kind === 'consulted' && { takes: target.name }),
        },
      });
    }
  }
  decision.dial(legs, ringSeconds + LEASE_MARGIN_SECONDS);
}

function reasonOf({ target }: TransferState, legs: readonly LegState[]): OutcomeReason {
  const [leg] = legs;
  if (target.kind === 'extension' && leg !== undefined && wasNeverCalled(leg)) return 'invalid-number';
  return target.kind !== 'agent' && leg !== undefined ? remoteVerdict(leg).reason : agentReason(legs);
}

/** The dial plan knows no such extension: its wire ends at once, with cause 16 and without a word that it dials. */
function wasNeverCalled({ dialSentAt, diallingAt, ringing, progressAt, released, ended }: LegState): boolean {
  return (
    dialSentAt !== null &&
    [diallingAt, ringing, progressAt, released].every((sign) => sign === null) &&
    ended?.estimated === false
  );
}

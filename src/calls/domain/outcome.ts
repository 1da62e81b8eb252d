import type { HangupParty, Outcome, OutcomeReason } from './call.js';
import { isOver, type CallState, type LegState } from './call-state.js';
import { NODE_RESTARTED } from './fact.js';
import type { Talk } from './talk.js';
import { leftByTransfer } from './transfer.js';

export type Verdict = { readonly outcome: Outcome; readonly reason: OutcomeReason };

/** What the answer of the far end means, before we know which side it is. */
export type Refusal =
  | 'busy'
  | 'rejected'
  | 'no-answer'
  | 'unavailable'
  | 'invalid-number'
  | 'refused'
  | 'congestion'
  | 'unreachable'
  | 'none';

/**
 * Meaning of a SIP final status (RFC 3261 section 21). 480 is what phones send for "do not disturb" or "not logged in".
 * 403 comes from trunks that will not carry the call, 603 from people who decline it.
 */
const bySipStatus: Readonly<Record<number, Refusal>> = {
  401: 'refused',
  402: 'refused',
  403: 'refused',
  404: 'invalid-number',
  407: 'refused',
  408: 'no-answer',
  410: 'invalid-number',
  480: 'unavailable',
  484: 'invalid-number',
  485: 'invalid-number',
  486: 'busy',
  487: 'none',
  488: 'refused',
  500: 'unreachable',
  502: 'unreachable',
  503: 'congestion',
  504: 'unreachable',
  600: 'busy',
  603: 'rejected',
  604: 'invalid-number',
  606: 'refused',
  607: 'rejected',
  608: 'rejected',
};

/** Meaning of a Q.850 cause (ITU-T Q.850 table 1) where no SIP status is known. */
const byQ850: Readonly<Record<number, Refusal>> = {
  1: 'invalid-number',
  2: 'unreachable',
  3: 'unreachable',
  17: 'busy',
  18: 'no-answer',
  19: 'no-answer',
  20: 'unreachable',
  21: 'rejected',
  22: 'invalid-number',
  27: 'unreachable',
  28: 'invalid-number',
  29: 'refused',
  34: 'congestion',
  38: 'unreachable',
  41: 'congestion',
  42: 'congestion',
  44: 'congestion',
  50: 'refused',
  52: 'refused',
  57: 'refused',
  58: 'refused',
  102: 'unreachable',
};

export function refusalOf(leg: LegState): Refusal {
  if (leg.refused !== null) return 'unreachable';
  if (leg.ended === null) return 'none';
  const { sip, q850 } = leg.ended;
  // Nobody was found there: where nothing listens the switch itself says 408 after 32 s (RFC 3261 timer B).
  if (sip === 408 && !rang(leg)) return 'unreachable';
  if (sip !== null) return bySipStatus[sip] ?? (sip >= 500 ? 'unreachable' : 'refused');
  return q850 === null ? 'none' : (byQ850[q850] ?? 'none');
}

/** True when the phone there gave a sign of life: it rang, or sent sound before an answer. */
export function rang(leg: LegState): boolean {
  return leg.ringing !== null || leg.progressAt !== null || leg.pickedUp !== null;
}

/** True when the leg's own party ended it, or declined by a key: neither we nor the switch told it to go before. */
export function endedByItself(leg: LegState): boolean {
  if (leg.isDeclined && leg.released?.why === 'not-confirmed') return true;
  if (leg.ended === null || leg.hangupAsked?.byParty === false) return false;
  return leg.released === null || (leg.hangupAsked?.at ?? leg.ended.at) < leg.released.at;
}

/** How a call that is over came out, by `docs/outcomes.md`. */
export function verdict(state: CallState, stretches: readonly Talk[]): Verdict {
  if (stretches.length > 0) return { outcome: 'answered', reason: 'talked' };
  return state.placed.direction === 'inbound' ? inbound(state) : outbound(state);
}

function inbound(state: CallState): Verdict {
  const missed = (reason: OutcomeReason): Verdict => ({ outcome: 'missed', reason });
  const caller = state.legs.find(({ side }) => side === 'remote');
  // The caller left our control without our letting go and lived on: the dead-man timer gave the call to the dial plan.
  const wasTaken =
    caller?.leftControlAt != null && (caller.hangupAsked === null || caller.hangupAsked.at > caller.leftControlAt);
  if (state.handedBack !== null) return missed(state.handedBack.reason);
  if (isBlocked(state) && !wasTaken) return { outcome: 'blocked', reason: 'blocked-number' };
  if (state.cancelAsked !== null) return { outcome: 'cancelled', reason: state.cancelAsked.reason };
  if (caller?.ended?.text === NODE_RESTARTED) return missed('node-restart');
  if (wasTaken) return missed('handed-back');
  return missed(caller !== undefined && endedByItself(caller) ? 'caller-gave-up' : 'unknown');
}

/** True for a caller whom the tenant has blocked. */
export function isBlocked({ placed }: CallState): boolean {
  return placed.plan.kind === 'ring-line' && placed.plan.blockedBy !== undefined;
}

/** True for a click-to-call in which the other party is called before the agent. */
export function isCustomerFirst({ placed }: CallState): boolean {
  return placed.plan.kind === 'click-to-call' && placed.plan.order === 'customer-first';
}

function outbound(state: CallState): Verdict {
  if (state.cancelAsked !== null) {
    return { outcome: state.cancelAsked.by === 'api' ? 'cancelled' : 'failed', reason: state.cancelAsked.reason };
  }
  if (state.legs.some(({ ended }) => ended?.text === NODE_RESTARTED))
    return { outcome: 'failed', reason: 'node-restart' };
  const agents = state.legs.filter(({ side }) => side === 'agent');
  const remote = state.legs.find(({ side }) => side === 'remote');
  if (isCustomerFirst(state) && remote !== undefined)
    return remote.answered === null ? remoteVerdict(remote) : abandoned(remote);
  const answering = agents.find((leg) => leg.answered !== null && leg.released?.why !== 'answered-elsewhere');
  if (answering === undefined) return agentSide(agents);
  if (remote === undefined) return { outcome: 'cancelled', reason: 'agent-hung-up' };
  const agentLeftFirst = endedByItself(answering) && (!endedByItself(remote) || endOf(answering) < endOf(remote));
  if (agentLeftFirst && remote.refused === null) return { outcome: 'cancelled', reason: 'agent-hung-up' };
  return remoteVerdict(remote);
}

/** The other party answered, and no agent talked with it. */
function abandoned(remote: LegState): Verdict {
  return { outcome: 'failed', reason: endedByItself(remote) ? 'remote-hung-up' : 'abandoned' };
}

/** Why an outside party that was called did not take the call. */
export function remoteVerdict(remote: LegState): Verdict {
  if (remote.released?.why === 'no-answer') return { outcome: 'no-answer', reason: 'remote-no-answer' };
  return refusalVerdict(refusalOf(remote));
}

/** What it means for a call that the party it was for refused it so. */
export function refusalVerdict(refusal: Refusal): Verdict {
  switch (refusal) {
    case 'busy':
      return { outcome: 'busy', reason: 'remote-busy' };
    case 'rejected':
      return { outcome: 'rejected', reason: 'remote-rejected' };
    case 'no-answer':
      return { outcome: 'no-answer', reason: 'remote-no-answer' };
    case 'unavailable':
      return { outcome: 'no-answer', reason: 'remote-unavailable' };
    case 'invalid-number':
      return { outcome: 'failed', reason: 'invalid-number' };
    case 'refused':
      return { outcome: 'failed', reason: 'trunk-refused' };
    case 'congestion':
      return { outcome: 'failed', reason: 'congestion' };
    case 'unreachable':
      return { outcome: 'failed', reason: 'trunk-unreachable' };
    case 'none':
      return { outcome: 'failed', reason: 'unknown' };
  }
}

/** Nobody on the agent's side took the call: the reason that tells most, were there several phones. */
function agentSide(agents: readonly LegState[]): Verdict {
  const reason = agentReason(agents);
  return { outcome: reason === 'agent-rejected' ? 'cancelled' : 'failed', reason };
}

/** True for an outside number that was answered, where nobody pressed a key, and nobody hung up either. */
function isUnconfirmed({ pickedUp, answered, isDeclined, hangupAsked }: LegState): boolean {
  return pickedUp !== null && answered === null && !isDeclined && hangupAsked?.byParty !== true;
}

/** Why no agent took a call, from the legs of their phones, now or at the end of the time they have. A phone that rang tells more than one that could not. */
export function agentReason(agents: readonly LegState[]): OutcomeReason {
  const refusals = agents.map((leg): OutcomeReason => {
    // Out of time. A phone that has not even rung by then is gone, though it is registered.
    const waitedFor = !isOver(leg) || isUnconfirmed(leg) || (leg.released?.why === 'no-answer' && !endedByItself(leg));
    if (waitedFor) return rang(leg) ? 'agent-no-answer' : 'device-unreachable';
    switch (refusalOf(leg)) {
      case 'busy':
        return 'agent-busy';
      case 'rejected':
        return 'agent-rejected';
      case 'no-answer':
        return 'agent-no-answer';
      case 'unavailable':
        return 'agent-rejected';
      case 'invalid-number':
      case 'refused':
      case 'congestion':
      case 'unreachable':
        return 'device-unreachable';
      case 'none':
        return 'agent-rejected';
    }
  });
  const telling: readonly OutcomeReason[] = ['agent-no-answer', 'agent-rejected', 'agent-busy', 'device-unreachable'];
  return telling.find((reason) => refusals.includes(reason)) ?? 'device-unreachable';
}

export type HangupView = { readonly by: HangupParty; readonly leg: LegState | null };

/** Who ended the call: the first leg whose own party left, unless somebody asked for the end. */
export function hangupSide(state: CallState, stretches: readonly Talk[]): HangupView {
  const last = stretches.at(-1);
  const remote = state.legs.find(({ side }) => side === 'remote') ?? null;
  if (state.cancelAsked !== null) return { by: state.cancelAsked.by, leg: remote };
  const parties = last === undefined ? state.legs : [last.remote, last.agent];
  const own = parties
    .filter(
      (leg) => endedByItself(leg) && leg.ended?.text !== NODE_RESTARTED && !leftByTransfer(state, leg, endOf(leg)),
    )
    .toSorted((a, b) => endOf(a) - endOf(b));
  const relevant =
    last === undefined && state.placed.direction === 'inbound' ? own.filter(({ side }) => side === 'remote') : own;
  // Before the parties talked, a phone that declined matters only when nothing else ended the call.
  const first =
    last === undefined && state.placed.direction === 'outbound' ? (relevant.at(-1) ?? null) : (relevant[0] ?? null);
  if (first !== null) return { by: first.ended?.estimated === true ? 'unknown' : first.side, leg: first };
  // A caller who is back in the dial plan is sent away by that.
  const sentAway = remote?.hangupAsked?.byParty === false && (remote.leftControlAt ?? Infinity) < remote.hangupAsked.at;
  const isOurs = sentAway || state.legs.some(({ released }) => released !== null);
  return { by: isOurs ? 'system' : 'unknown', leg: remote };
}

function endOf(leg: LegState): number {
  return leg.hangupAsked?.at ?? leg.ended?.at ?? leg.refused?.at ?? Infinity;
}

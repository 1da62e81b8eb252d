import type { Call, CallNumber, HangupParty, Outcome, OutcomeReason, Participant } from './call.js';
import { isOver } from './call-state.js';
import { NODE_RESTARTED, type FactDetail } from './fact.js';
import { annotated, earliestRing, endOf, instant, legView, maybeInstant, seconds, type CallIdentity } from './fold.js';
import { betweenOriginated, originatedCall, partiesOf, type Originated } from './originated.js';
import { customerOf, isEnd, observedTalks, type ObservedTalk } from './observed-talk.js';
import type { ObservedLeg, ObservedState } from './observed.js';
import { agentReason, endedByItself, rang, refusalOf, refusalVerdict, type Verdict } from './outcome.js';
import { isOnHold, talkedMs } from './talk.js';

/** The record of a call that Ringline only observes: a pure function of what is known about it. */
export function foldObserved(identity: CallIdentity, told: ObservedState, version: number): Call {
  const customer = customerOf(told);
  const state = { ...told, legs: told.legs.map((leg) => (leg.id === customer?.id ? leg : atOwnNumber(leg))) };
  const others = state.legs.filter((leg) => isEnd(leg) && leg.id !== customer?.id);
  const direction = directionOf(customer);
  const talks = observedTalks(state);
  const originated = originatedCall(state, customer);
  const dialled = originated?.called ?? others.filter(({ isOrigin }) => !isOrigin);
  const ringing = earliestRing(direction === 'outbound' ? toList(customer) : dialled);
  const answered = talks[0]?.from ?? null;
  const over = customer !== null && state.legs.every(isOver);
  const ended = over ? Math.max(state.at, endOf(customer)) : null;
  const last = ended === null ? null : verdict(state, direction, customer, others, talks, originated);
  const { line, from, to } = betweenWhom(state, customer, direction, originated);
  const called = direction === 'outbound' ? (customer?.called ?? to) : to;
  const hangup = ended === null ? null : hangupOf(state, customer, others, talks, originated);
  return {
    id: identity.id,
    tenantId: identity.tenantId,
    control: 'observed',
    direction,
    status: status(direction, talks, ringing, ended),
    outcome: last?.outcome ?? null,
    outcomeReason: last?.reason ?? null,
    from,
    to: called,
    remote: direction === 'inbound' ? from : called,
    line: direction === 'outbound' ? (customer?.leftBy ?? null) : line,
    contact: state.found?.contact ?? null,
    owner: state.found?.owner ?? null,
    // Inside, both sides are colleagues.
    participants: participants(direction === 'internal' ? state.legs.filter(isEnd) : others, talks),
    legs: state.legs.filter(isEnd).map((leg) => ({
      ...legView(leg),
      side: leg.party?.kind === 'phone' ? 'agent' : 'remote',
      agentId: leg.party?.agentId ?? null,
      device: leg.party?.device ?? null,
    })),
    startedAt: instant(state.at),
    ringingAt: maybeInstant(ringing),
    answeredAt: maybeInstant(answered),
    endedAt: maybeInstant(ended),
    waitSeconds: ringing === null ? 0 : seconds((answered ?? ended ?? ringing) - ringing),
    talkSeconds: seconds(talkedMs(talks)),
    durationSeconds: ended === null ? 0 : seconds(ended - state.at),
    hangup:
      hangup === null
        ? null
        : {
            by: hangup.by,
            q850: hangup.leg?.ended?.q850 ?? null,
            sip: hangup.leg?.ended?.sip ?? null,
            text: hangup.leg?.ended?.text ?? null,
          },
    recordings: [],
    ...annotated(state.annotations, []),
    cost: null,
    estimated: state.estimated,
    version,
    mergedInto: null,
    pbxNodeId: identity.pbxNodeId,
    linkedId: state.legs.find(({ linkedId }) => linkedId !== null)?.linkedId ?? null,
    sipCallIds: state.legs.flatMap(({ sipCallId }) => (sipCallId === null ? [] : [sipCallId])),
  };
}

/** An agent's outside number is a phone of his, though the way to it leads outside. Who calls it from inside has left by a line. */
function atOwnNumber(leg: ObservedLeg): ObservedLeg {
  return leg.ringsAgent === null ? leg : { ...leg, party: { kind: 'phone', ...leg.ringsAgent } };
}

/** What the customer's conversation began with: an older one that it became part of may have been between others. */
function betweenWhom(
  state: ObservedState,
  customer: ObservedLeg | null,
  direction: Call['direction'],
  originated: Originated | null,
): FactDetail['observed'] {
  if (originated !== null && customer !== null)
    return betweenOriginated(originated, state, customer, direction === 'outbound');
  const origin = state.legs.find(({ id }) => id === customer?.linkedId);
  return customer?.began ?? origin?.began ?? state;
}

function directionOf(customer: ObservedLeg | null): Call['direction'] {
  if (customer?.party?.kind !== 'trunk') return 'internal';
  return customer.isOrigin ? 'inbound' : 'outbound';
}

function status(
  direction: Call['direction'],
  talks: readonly ObservedTalk[],
  ringing: number | null,
  ended: number | null,
): Call['status'] {
  if (ended !== null) return 'ended';
  if (talks.length > 0) return isHeld(talks) ? 'held' : 'answered';
  if (ringing !== null) return 'ringing';
  return direction === 'inbound' ? 'queued' : 'dialing';
}

/**
 * Somebody has the customer on hold, who may talk with a colleague elsewhere meanwhile. Where they have parted it is as it was
 * then, unless he passed the customer on.
 */
function isHeld(talks: readonly ObservedTalk[]): boolean {
  const open = talks.filter(({ until }) => until === null);
  const last = talks.slice(-1).filter(({ other }) => other.passedOnAt === null);
  return (open.length > 0 ? open : last).some((talk) => isOnHold([talk.other], talk));
}

/** Phones by the agent or the endpoint they belong to, everybody else apart. */
function participants(others: readonly ObservedLeg[], talks: readonly ObservedTalk[]): Participant[] {
  const groups = new Map<string, ObservedLeg[]>();
  for (const leg of others) {
    const key = leg.party?.kind === 'phone' ? `${leg.party.agentId}\n${leg.party.device}` : leg.id;
    groups.set(key, [...(groups.get(key) ?? []), leg]);
  }
  return [...groups.values()].map((legs): Participant => {
    const mine = talks.filter(({ customer, other }) => legs.includes(customer) || legs.includes(other));
    const rings = legs.flatMap((leg) => leg.ringing?.at ?? []);
    // Who dialled has no answer of his own: he takes part when he talks.
    const dialled = legs.filter(({ isOrigin }) => !isOrigin);
    const answers =
      mine.length > 0 ? [Math.min(...dialled.flatMap((leg) => leg.answered?.at ?? []), mine[0]?.from ?? Infinity)] : [];
    const passedOn = legs.some(({ passedOnAt }) => passedOnAt !== null);
    return {
      agentId: legs[0]?.party?.agentId ?? null,
      number: numberOf(legs),
      device: legs[0]?.party?.device ?? null,
      role: passedOn ? 'transferred' : mine.length > 0 ? 'answered' : rings.length > 0 ? 'rang' : 'requested',
      ringingAt: maybeInstant(rings.length === 0 ? null : Math.min(...rings)),
      answeredAt: maybeInstant(answers[0] ?? null),
      leftAt: maybeInstant(legs.every(isOver) ? Math.max(...legs.map(endOf)) : null),
      talkSeconds: seconds(talkedMs(mine)),
    };
  });
}

/**
 * Of who is outside: whom somebody dialled there, or who came in besides the customer. The log tells of phones inside too what was
 * dialled to reach them.
 */
function numberOf([leg]: readonly ObservedLeg[]): CallNumber | null {
  if (leg === undefined || (leg.party?.kind !== 'trunk' && leg.ringsAgent === null)) return null;
  return leg.called ?? (leg.ringsAgent === null ? (leg.began?.from ?? null) : null);
}

function verdict(
  state: ObservedState,
  direction: Call['direction'],
  customer: ObservedLeg | null,
  others: readonly ObservedLeg[],
  talks: readonly ObservedTalk[],
  originated: Originated | null,
): Verdict {
  if (talks.length > 0) return { outcome: 'answered', reason: 'talked' };
  if (state.cancelAsked !== null) return { outcome: 'cancelled', reason: state.cancelAsked.reason };
  const asked = others.filter(({ isOrigin }) => !isOrigin);
  const missed = (reason: OutcomeReason): { outcome: Outcome; reason: OutcomeReason } => ({
    outcome: 'missed',
    reason,
  });
  const restarted = state.legs.some(({ ended }) => ended?.text === NODE_RESTARTED);
  if (customer != null && customer.voicemailAt !== null) return { outcome: 'voicemail', reason: nobodysReason(asked) };
  if (direction === 'inbound') {
    if (restarted) return missed('node-restart');
    if (customer !== null && endedByItself(customer)) return missed('caller-gave-up');
    return missed(nobodysReason(asked));
  }
  if (restarted) return { outcome: 'failed', reason: 'node-restart' };
  const outside = direction === 'outbound' ? customer : null;
  if (originated !== null) return originatedVerdict(originated, outside);
  const caller = state.legs.find(({ isOrigin }) => isOrigin) ?? null;
  return unansweredVerdict(caller, outside ?? asked.at(-1) ?? null);
}

/** @param outside Who is outside; null where all are colleagues. */
function originatedVerdict(call: Originated, outside: ObservedLeg | null): Verdict {
  // Nobody of ours was there for him.
  if (outside !== null && outside.answered !== null)
    return { outcome: 'failed', reason: leftByItself(outside) ? 'remote-hung-up' : 'abandoned' };
  const { asker, asked } = partiesOf(call, outside);
  return unansweredVerdict(asker, asked);
}

function unansweredVerdict(caller: ObservedLeg | null, target: ObservedLeg | null): Verdict {
  if (caller !== null && endedByItself(caller) && (target === null || leftAt(caller) <= leftAt(target)))
    return { outcome: 'cancelled', reason: 'agent-hung-up' };
  if (target === null) return { outcome: 'failed', reason: 'unknown' };
  if (wasLetGo(target)) return refusalVerdict(rang(target) ? 'no-answer' : 'unreachable');
  return refusalVerdict(refusalOf(target));
}

/** Why nobody took a call. A phone that the dial plan let go was out of time. */
function nobodysReason(asked: readonly ObservedLeg[]): OutcomeReason {
  if (asked.length === 0) return 'unknown';
  return agentReason(asked.map((leg) => (wasLetGo(leg) ? { ...leg, ended: null } : leg)));
}

/**
 * The switch itself ended a leg that it had dialled: a far end that refuses asks for the end first, and the log says of every leg
 * whether its own party did. The causes of such an end say nothing: Asterisk 22 makes them 127 and SIP 500.
 */
function wasLetGo(leg: ObservedLeg): boolean {
  return !leg.isOrigin && leg.hangupAsked?.byParty !== true;
}

function leftByItself(leg: ObservedLeg): boolean {
  return endedByItself(leg) && !wasLetGo(leg);
}

function hangupOf(
  { cancelAsked }: ObservedState,
  customer: ObservedLeg | null,
  others: readonly ObservedLeg[],
  talks: readonly ObservedTalk[],
  originated: Originated | null,
): { readonly by: HangupParty; readonly leg: ObservedLeg | null } {
  if (cancelAsked !== null) return { by: cancelAsked.by, leg: customer };
  // Of those in a conference, who talked with the customer to the end.
  const last = talks.toSorted((a, b) => (a.until ?? Infinity) - (b.until ?? Infinity)).at(-1)?.other ?? null;
  const parties = last === null ? withoutTalk(customer, others, originated) : [...toList(customer), last];
  const first = parties
    .filter((leg) => leftByItself(leg) && leg.ended?.text !== NODE_RESTARTED)
    .toSorted((a, b) => leftAt(a) - leftAt(b))[0];
  if (first === undefined) return { by: 'system', leg: customer };
  if (first.ended?.estimated === true) return { by: 'unknown', leg: first };
  return { by: first.party?.kind === 'trunk' ? 'remote' : 'agent', leg: first };
}

/** Who counts where nobody talked. */
function withoutTalk(
  customer: ObservedLeg | null,
  others: readonly ObservedLeg[],
  originated: Originated | null,
): readonly ObservedLeg[] {
  const isOutside = customer?.party?.kind === 'trunk';
  if (originated !== null) {
    const { asker, asked } = partiesOf(originated, isOutside ? customer : null);
    return [...toList(asked), ...toList(asker)];
  }
  // Of those who were dialled inside, the last is who was asked for, as the customer of an outbound call.
  const asked = isOutside ? [] : others.filter(({ isOrigin }) => !isOrigin).slice(-1);
  return [...toList(customer), ...others.filter(({ isOrigin }) => isOrigin), ...asked];
}

function leftAt(leg: ObservedLeg): number {
  return leg.hangupAsked?.at ?? endOf(leg);
}

function toList<T>(value: T | null): T[] {
  return value === null ? [] : [value];
}

import type { Call, CallLegView, CallNumber, Participant } from './call.js';
import { isOver, type CallState, type LegState, type Moment } from './call-state.js';
import { hangupSide, verdict } from './outcome.js';
import type { AgentPhone, OutsidePhone } from './plan.js';
import { recordingView } from './recording.js';
import { isOnHold, talkedMs, talks, talkSecondsOfLegs, type Talk } from './talk.js';
import { openTransfer } from './transfer.js';

/** What identifies a call and does not come from its facts. */
export type CallIdentity = { readonly id: string; readonly tenantId: string; readonly pbxNodeId: string };

/**
 * The record of a call: a pure function of what is known about it. Any order and any repetition of the facts gives the
 * same record. `version` counts visible changes and is kept by the ledger.
 */
export function foldCall(identity: CallIdentity, state: CallState, version: number): Call {
  const { placed } = state;
  const inbound = placed.direction === 'inbound';
  const stretches = talks(state);
  const remoteLegs = state.legs.filter(({ side }) => side === 'remote');
  const ringing = earliestRing(inbound ? state.legs.filter(({ side }) => side === 'agent') : remoteLegs);
  const ended = endedAt(state);
  const answered = stretches[0]?.from ?? null;
  const last = ended === null ? null : verdict(state, stretches);
  const hangup = ended === null ? null : hangupSide(state, stretches);
  return {
    id: identity.id,
    tenantId: identity.tenantId,
    control: 'driven',
    direction: placed.direction,
    status: status(state, stretches, ringing, ended),
    outcome: last?.outcome ?? null,
    outcomeReason: last?.reason ?? null,
    from: placed.from,
    to: placed.to,
    remote: inbound ? placed.from : placed.to,
    line: placed.line,
    contact: state.found?.contact ?? null,
    owner: state.found?.owner ?? null,
    participants: participants(state, stretches),
    legs: state.legs.filter((leg) => leg.createdAt !== null || leg.refused !== null).map(legView),
    startedAt: instant(placed.at),
    ringingAt: maybeInstant(ringing),
    answeredAt: maybeInstant(answered),
    endedAt: maybeInstant(ended),
    waitSeconds: ringing === null ? 0 : seconds((answered ?? ended ?? ringing) - ringing),
    talkSeconds: seconds(talkedMs(stretches)),
    durationSeconds: ended === null ? 0 : seconds(ended - placed.at),
    hangup:
      hangup === null
        ? null
        : {
            by: hangup.by,
            q850: hangup.leg?.ended?.q850 ?? null,
            sip: hangup.leg?.ended?.sip ?? null,
            text: hangup.leg?.ended?.text ?? hangup.leg?.refused?.text ?? null,
          },
    recordings: state.recordings.flatMap((recording) => recordingView(recording) ?? []),
    ...annotated(state.annotations, placed.plan.kind === 'click-to-call' ? placed.plan.tags : []),
    cost: null,
    estimated: state.estimated,
    version,
    mergedInto: null,
    pbxNodeId: identity.pbxNodeId,
    linkedId: state.legs.find(({ linkedId }) => linkedId !== null)?.linkedId ?? null,
    sipCallIds: state.legs.flatMap(({ sipCallId }) => (sipCallId === null ? [] : [sipCallId])),
  };
}

/**
 * A call is over when every leg that was meant to be is over. Its end is the caller's own end, or the last leg's where
 * Ringline placed the call.
 */
function endedAt(state: CallState): number | null {
  if (state.legs.length === 0 || !state.legs.every(isOver)) return null;
  const ends = (
    state.placed.direction === 'inbound' ? state.legs.filter(({ side }) => side === 'remote') : state.legs
  ).map(endOf);
  // Clocks differ by a little: a call does not end before it began.
  return ends.length === 0 ? null : Math.max(state.placed.at, ...ends);
}

export function endOf(leg: LegState): number {
  return leg.ended?.at ?? leg.refused?.at ?? 0;
}

function status(
  state: CallState,
  stretches: readonly Talk[],
  ringing: number | null,
  ended: number | null,
): Call['status'] {
  if (ended !== null) return 'ended';
  if (stretches.length > 0)
    return openTransfer(state) !== null || waitsForTarget(state) || isHeld(state, stretches) ? 'held' : 'answered';
  if (state.placed.direction === 'inbound') {
    // Back in the dial plan nobody of ours rings any more. A caller who hangs up leaves our control too.
    const isBack = (leg: LegState): boolean =>
      leg.side === 'remote' && leg.leftControlAt !== null && leg.hangupAsked === null && leg.ended === null;
    if (state.handedBack !== null || state.legs.some(isBack)) return 'queued';
    return ringing === null ? 'queued' : 'ringing';
  }
  return ringing === null ? 'dialing' : 'ringing';
}

/** The switch itself passed the other party on, and the target has not answered. */
function waitsForTarget({ transfers, legs }: CallState): boolean {
  const target = legs.find(({ id }) => id === transfers.at(-1)?.done?.to);
  return target !== undefined && target.answered === null && !isOver(target);
}

/** One of those who talk has the other on hold. Where they have parted it is as it was then, unless he went to somebody else. */
function isHeld({ transfers }: CallState, stretches: readonly Talk[]): boolean {
  const open = stretches.filter(({ until }) => until === null);
  const last = stretches.slice(-1).filter(({ agent }) => transfers.every(({ done }) => done?.from !== agent.id));
  return (open.length > 0 ? open : last).some((talk) => isOnHold([talk.remote, talk.agent], talk));
}

export function earliestRing(legs: readonly LegState[]): number | null {
  const rings = legs.flatMap((leg) => [leg.ringing?.at ?? leg.progressAt ?? []].flat());
  return rings.length === 0 ? null : Math.min(...rings);
}

/** Everybody who was to be rung, once for each time: those of the plan, then those of each transfer. */
function participants(state: CallState, stretches: readonly Talk[]): Participant[] {
  const talked = talkSecondsOfLegs(stretches);
  const ofPhones = (phones: readonly AgentPhone[], transfer: number | null): Participant[] =>
    phones.map(({ agentId, endpoint }) => {
      const device = `PJSIP/${endpoint}`;
      const legs = state.legs.filter(
        (leg) => leg.side === 'agent' && leg.agentId === agentId && leg.device === device && leg.transfer === transfer,
      );
      return participant({ agentId, number: null, device }, legs, state, talked);
    });
  const ofNumber = (number: CallNumber, transfer: number): Participant => {
    const legs = state.legs.filter((leg) => leg.transfer === transfer);
    return participant({ agentId: null, number, device: null }, legs, state, talked);
  };
  const ofOutside = ({ agentId, number, trunk }: OutsidePhone): Participant => {
    const device = `PJSIP/${trunk.number}@${trunk.endpoint}`;
    const legs = state.legs.filter(
      (leg) => leg.side === 'agent' && leg.agentId === agentId && leg.device === device && leg.transfer === null,
    );
    return participant({ agentId, number, device }, legs, state, talked);
  };
  const { plan } = state.placed;
  // While one rings alone the others are sought by nobody, and were not if he takes it.
  const alone = plan.kind === 'ring-line' ? plan.first?.agentId : undefined;
  const isSought = ({ agentId }: { readonly agentId: string }): boolean =>
    alone === undefined ||
    alone === agentId ||
    state.legs.some((leg) => leg.agentId === agentId && leg.transfer === null);
  return [
    ...ofPhones(plan.phones.filter(isSought), null),
    ...(plan.outside ?? []).filter(isSought).map(ofOutside),
    ...state.transfers.flatMap(({ place, target }) => {
      if (target.kind === 'agent') return ofPhones(target.phones, place);
      if (target.kind === 'consulted' && target.phone !== null) return ofPhones([target.phone], place);
      return [ofNumber(target.number, place)];
    }),
  ];
}

function participant(
  who: Pick<Participant, 'agentId' | 'number' | 'device'>,
  legs: readonly LegState[],
  { transfers }: CallState,
  talked: ReadonlyMap<string, number>,
): Participant {
  const took = legs.filter((leg) => leg.answered !== null && leg.released?.why !== 'answered-elsewhere');
  const rings = legs.flatMap((leg) => leg.ringing ?? []).map((moment: Moment) => moment.at);
  const answers = took.flatMap((leg) => leg.answered ?? []).map((moment: Moment) => moment.at);
  const over = legs.length > 0 && legs.every(isOver);
  const left = (took.length > 0 ? took : legs).map(endOf);
  const transferred = took.some(({ id }) => transfers.some(({ done }) => done?.from === id));
  // Who answered a consultation has not taken the call.
  const has = took.some(({ id, transfer }) => transfer === null || transfers.some(({ done }) => done?.to === id));
  return {
    ...who,
    role: transferred ? 'transferred' : has ? 'answered' : rings.length > 0 || took.length > 0 ? 'rang' : 'requested',
    ringingAt: maybeInstant(rings.length === 0 ? null : Math.min(...rings)),
    answeredAt: maybeInstant(answers.length === 0 ? null : Math.min(...answers)),
    leftAt: maybeInstant(over ? Math.max(...left) : null),
    talkSeconds: legs.reduce((sum, { id }) => sum + (talked.get(id) ?? 0), 0),
  };
}

export function legView(leg: LegState): CallLegView {
  return {
    id: leg.id,
    side: leg.side,
    agentId: leg.agentId,
    device: leg.device,
    ringingAt: maybeInstant(leg.ringing?.at ?? null),
    answeredAt: maybeInstant(leg.answered?.at ?? null),
    endedAt: maybeInstant(leg.ended?.at ?? leg.refused?.at ?? null),
    q850: leg.ended?.q850 ?? null,
    sip: leg.ended?.sip ?? null,
    release: leg.released?.why ?? null,
  };
}

/** What people wrote to a record, the newest of each. */
export function annotated(
  annotations: CallState['annotations'],
  tags: readonly string[],
): Pick<Call, 'note' | 'disposition' | 'tags'> {
  const merged = { note: null as string | null, disposition: null as string | null, tags: [...tags] };
  for (const { note, disposition, tags: newTags } of annotations) {
    if (note !== undefined) merged.note = note;
    if (disposition !== undefined) merged.disposition = disposition;
    if (newTags !== undefined) merged.tags = [...newTags];
  }
  return merged;
}

export function seconds(ms: number): number {
  return Math.max(0, Math.round(ms / 1000));
}

export function instant(at: number): string {
  return new Date(at).toISOString();
}

export function maybeInstant(at: number | null): string | null {
  return at === null ? null : instant(at);
}

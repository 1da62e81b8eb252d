import { callDocument } from '../../call-document.js';
import type { Call, Participant } from '../../../src/calls/domain/call.js';
import type { CallEventType } from '../../../src/calls/domain/call-event.js';
import { newId } from '../../../src/common/ids.js';
import type { Chance } from '../../replay/chance.js';
import type { CallKind, ToldCall } from './told-call.js';

/** An agent, and the CRM user who he is. */
export type PlannedAgent = { readonly id: string; readonly userId: string; readonly name: string };

/** A change of a call, `atMs` after it began. A recording is stored with it, where it tells of one. */
export type Stage = {
  readonly atMs: number;
  readonly type: CallEventType;
  readonly changes: Partial<Call>;
  readonly storesRecording: boolean;
};

export type PlannedCall = {
  readonly told: ToldCall;
  /** As it begins. */
  readonly call: Call;
  readonly stages: readonly Stage[];
};

export type CallPlace = {
  readonly tenantId: string;
  readonly nodeId: string;
  readonly line: Call['line'];
  readonly agents: readonly PlannedAgent[];
  /** The number's contact in the CRM; null: it has none. */
  readonly contactId: string | null;
  readonly number: string;
  /** Another call, of which a merged one became part. */
  readonly otherCallId: string;
  readonly startedAt: Date;
};

/** How often each comes of a hundred; a call-back comes with what it calls back. */
const shares: readonly (readonly [CallKind, number])[] = [
  ['answered', 36],
  ['transferred', 15],
  ['missed', 15],
  ['outgoing', 16],
  ['unanswered', 5],
  ['merged', 6],
  ['called-back', 7],
];

export function pickKind(chance: Chance): CallKind {
  let left = chance.below(shares.reduce((sum, [, share]) => sum + share, 0));
  for (const [kind, share] of shares) {
    if (left < share) return kind;
    left -= share;
  }
  return 'answered';
}

/** The story of a call, and what a CRM should have of it in the end. */
export function planCall(kind: CallKind, place: CallPlace, chance: Chance): PlannedCall {
  const { tenantId, nodeId, line, agents, contactId, number, startedAt, otherCallId } = place;
  const direction = kind === 'outgoing' || kind === 'unanswered' ? 'outbound' : 'inbound';
  const outside = { raw: number, e164: number, name: null };
  const own = { raw: line?.number ?? '', e164: line?.number ?? null, name: null };
  const [first, second] = chance.shuffled(agents) as [PlannedAgent, PlannedAgent];
  const waitSeconds = 1 + chance.below(4);
  const isTalk = kind === 'answered' || kind === 'transferred' || kind === 'outgoing' || kind === 'call-back';
  const talkSeconds = isTalk ? 3 + chance.below(10) : 0;
  const at = (seconds: number): string => new Date(startedAt.getTime() + seconds * 1000).toISOString();
  const endedAtS = waitSeconds + talkSeconds;
  const handedAtS = waitSeconds + Math.ceil(talkSeconds / 2);
  const hasRecording = isTalk && chance.isBelow(0.6);
  const laterNote = isTalk && chance.isBelow(0.3) ? `Note ${newId()}: wants an offer` : null;
  const firstNote = isTalk && chance.isBelow(0.3) ? `Note ${newId()}: asked about a bill` : null;
  const mergedInto = kind === 'merged' ? otherCallId : null;

  const call = callDocument({
    tenantId,
    direction,
    status: 'ringing',
    from: direction === 'inbound' ? outside : own,
    to: direction === 'inbound' ? own : outside,
    remote: outside,
    line,
    participants: [person(first, 'rang', at(0))],
    startedAt: at(0),
    ringingAt: at(0),
    pbxNodeId: nodeId,
  });

  const stages: Stage[] = [];
  const stage = (atS: number, type: CallEventType, changes: Partial<Call>, storesRecording = false): number =>
    stages.push({ atMs: atS * 1000, type, changes, storesRecording });
  stage(0, 'call.started', {});
  if (mergedInto !== null) {
    stage(endedAtS, 'call.merged', { status: 'ended', endedAt: at(endedAtS), durationSeconds: endedAtS, mergedInto });
  } else {
    const isMoved = kind === 'transferred';
    const parts = isMoved ? handedAtS - waitSeconds : talkSeconds;
    if (isTalk) {
      const answeredAt = at(waitSeconds);
      const talking = person(first, 'answered', at(0), answeredAt);
      stage(waitSeconds, 'call.answered', { status: 'answered', answeredAt, waitSeconds, participants: [talking] });
      if (isMoved) {
        const participants = [talking, person(second, 'transferred', at(handedAtS - 1), at(handedAtS))];
        stage(handedAtS, 'call.transferred', { participants });
      }
    }
    const participants: Participant[] = isTalk
      ? [person(first, 'answered', at(0), at(waitSeconds), parts)]
      : [person(first, 'rang', at(0))];
    if (isMoved) {
      participants.push(person(second, 'transferred', at(handedAtS - 1), at(handedAtS), endedAtS - handedAtS));
    }
    stage(endedAtS, 'call.ended', {
      status: 'ended',
      endedAt: at(endedAtS),
      ...outcomeOf(direction, isTalk),
      hangup: { by: 'remote', q850: 16, sip: null, text: null },
      waitSeconds,
      talkSeconds,
      durationSeconds: endedAtS,
      participants,
      note: firstNote,
    });
    if (hasRecording) stage(endedAtS + 1 + chance.below(4), 'call.recording.ready', {}, true);
    if (laterNote !== null) stage(endedAtS + 2.5 + chance.below(12), 'call.updated', { note: laterNote });
  }
  const told: ToldCall = {
    id: call.id,
    kind,
    direction,
    number,
    wasAnswered: isTalk,
    talkSeconds,
    durationSeconds: endedAtS,
    startedAt,
    ownerId: (kind === 'transferred' ? second : first).userId,
    contactId,
    hasRecording,
    note: laterNote ?? firstNote,
    mergedInto,
  };
  return { told, call, stages: stages.toSorted((a, b) => a.atMs - b.atMs) };
}

function outcomeOf(direction: 'inbound' | 'outbound', isTalk: boolean): Pick<Call, 'outcome' | 'outcomeReason'> {
  if (isTalk) return { outcome: 'answered', outcomeReason: 'talked' };
  return direction === 'inbound'
    ? { outcome: 'missed', outcomeReason: 'caller-gave-up' }
    : { outcome: 'no-answer', outcomeReason: 'remote-no-answer' };
}

function person(
  { id }: PlannedAgent,
  role: Participant['role'],
  ringingAt: string,
  answeredAt: string | null = null,
  talkSeconds = 0,
): Participant {
  return { agentId: id, number: null, device: 'PJSIP/phone', role, ringingAt, answeredAt, leftAt: null, talkSeconds };
}

import type { CallContact, CallLine, CallNumber, ContactOwner, OutcomeReason } from './call.js';
import type { GapKind } from './gap.js';
import type { ClickToCall, PhoneWish, RingLine, TransferAsk } from './plan.js';

/**
 * Who says so, worst first. A better source replaces what a worse one said about the same thing.
 * `estimate`: inferred after a gap. `reconcile`: read from the switch's present state. `switch`: its events.
 * `cel`: its own log. `ringline`: what we did or were asked; nobody knows that better.
 */
export const factSources = ['estimate', 'reconcile', 'switch', 'cel', 'ringline'] as const;
export type FactSource = (typeof factSources)[number];

/** Marks the end of a leg that ended because its switch was restarted. */
export const NODE_RESTARTED = 'the PBX was restarted';

export type LegSide = 'remote' | 'agent';

/** Why Ringline ended a leg. */
export const releaseReasons = [
  'answered-elsewhere',
  'other-side-left',
  'no-answer',
  'not-confirmed',
  'cancelled',
  'transferred',
  'transfer-failed',
  'handed-back',
  'blocked',
  'service-stopped',
  'limit',
  'orphan',
] as const;
export type ReleaseReason = (typeof releaseReasons)[number];

export const recordingActions = ['start', 'stop', 'pause', 'resume'] as const;
export type RecordingAction = (typeof recordingActions)[number];

/** A room in which nobody hears the others, or one where any number meet; else two parties talk in it. */
export type RoomKind = 'holding' | 'conference';

/** What each kind of fact tells. Kinds of the first group concern the whole call: their leg is the call's id. */
export type FactDetail = {
  /**
   * Something was not heard when it happened. Of the whole call or of a leg. Key: what; of a while in which nothing was heard
   * its beginning too.
   */
  readonly gap: { readonly what: GapKind; readonly until: number };
  /** The call came to be. Only ever told by Ringline. */
  readonly placed:
    | {
        readonly direction: 'inbound';
        readonly from: CallNumber;
        readonly to: CallNumber;
        readonly line: CallLine;
        readonly plan: RingLine;
      }
    | {
        readonly direction: 'outbound';
        readonly from: CallNumber;
        readonly to: CallNumber;
        readonly line: CallLine;
        readonly plan: ClickToCall;
      };
  /** A dial plan that Ringline does not drive makes this call. Follows from what its first leg `entered` with. */
  readonly observed: {
    /** Country in whose way its numbers are read. */
    readonly region: string;
    readonly line: CallLine | null;
    readonly from: CallNumber;
    readonly to: CallNumber;
  };
  /** This observed call became part of another one. */
  readonly merged: { readonly into: string };
  /** Somebody wants the call to end. */
  readonly 'cancel-asked': { readonly by: 'api' | 'system'; readonly reason: OutcomeReason };
  /** Ringline let the caller go back to the dial plan. */
  readonly 'handed-back': { readonly reason: OutcomeReason };
  /** Somebody wrote to the record. Key: id of the change. */
  readonly annotated: {
    readonly note?: string | null;
    readonly disposition?: string | null;
    readonly tags?: readonly string[];
  };
  /** Who the other party is, by the contacts of CRMs, and whose contact that is. Key: id of the finding; the newest counts. */
  readonly 'contact-found': { readonly contact: CallContact; readonly owner: ContactOwner | null };
  /** Somebody asks that the other party be put on hold, or taken off it. Key: its place among those of the call. */
  readonly 'hold-asked': { readonly held: boolean };
  /** Somebody asks that the agent not be heard, or be heard again. Key: its place among those of the call. */
  readonly 'mute-asked': { readonly muted: boolean };
  /** Somebody asks that the other party be sent DTMF digits. Key: id of the request. */
  readonly 'digits-asked': { readonly digits: string };
  /** Somebody asks that the other party go to somebody else. Key of this and of all about it: its place, from 1. */
  readonly 'transfer-asked': TransferAsk;
  /** Somebody asks that the other party go to who is consulted, or will answer. */
  readonly 'transfer-complete-asked': Record<string, never>;
  readonly 'transfer-cancel-asked': Record<string, never>;
  /** The other party went from one leg to another. */
  readonly transferred: { readonly from: string; readonly to: string };
  readonly 'transfer-failed': { readonly reason: OutcomeReason };

  /** Somebody asks for a recording. Key: the action, and its place among those of the call. */
  readonly 'recording-asked': { readonly action: RecordingAction };
  /** Ringline means to record. Key of this and of all that follows: the recording's id. */
  readonly 'recording-planned': Record<string, never>;
  readonly 'recording-started': Record<string, never>;
  /** The switch left something out of the recording, or went on with it. Key: the id, and the place of who asked. */
  readonly 'recording-paused': Record<string, never>;
  readonly 'recording-resumed': Record<string, never>;
  /** The switch writes no more. Seconds as it counts them, without pauses; null when it was only found to be over. */
  readonly 'recording-finished': { readonly seconds: number | null };
  /** It could not be made, or not be taken over. */
  readonly 'recording-failed': { readonly reason: string };
  /** Ringline has it: it can be heard. */
  readonly 'recording-stored': { readonly ms: number };
  readonly 'recording-erased': Record<string, never>;

  /** Ringline means to make this leg. */
  readonly planned: {
    readonly side: LegSide;
    readonly agentId: string | null;
    readonly device: string;
    readonly contact: string | null;
    /** The place of the transfer for which it is rung. */
    readonly transfer?: number;
    /** Whoever answers has to press 1 before he has the call. */
    readonly guarded?: true;
  };
  /** The leg exists in the switch. */
  readonly created: {
    readonly side: LegSide;
    readonly linkedId: string | null;
    readonly sipCallId: string | null;
    /** What the switch itself calls the leg. */
    readonly name: string | null;
  };
  /** A conversation began with the leg: what it dialled and showed as it came into the dial plan. */
  readonly entered: { readonly dialled: string; readonly callerNumber: string; readonly callerName: string };
  /** The switch itself made the leg with which a conversation begins, to ring somebody: nobody came in by it. */
  readonly originated: Record<string, never>;
  /** Between whom the conversation is that this leg began: one that became part of another one keeps its own. */
  readonly began: FactDetail['observed'];
  /** What an observed leg is: a phone, the way to the outside world, or a wire inside the switch. */
  readonly party: {
    readonly kind: 'phone' | 'trunk' | 'wire';
    readonly agentId: string | null;
    readonly device: string | null;
  };
  /** Whom an observed leg dialled, outside. */
  readonly called: { readonly number: CallNumber };
  /** The line by which an observed leg was dialled outside. Key: the tenant's id, for whose call it is may be known later. */
  readonly 'left-by': { readonly line: CallLine };
  /** An observed leg dialled an outside number that is an agent's device. Key: the tenant's id, as of the line. */
  readonly 'rings-agent': { readonly agentId: string; readonly device: string };
  /** This party of an observed call passed the others on, and left. */
  readonly 'passed-on': Record<string, never>;
  /** The switch's voicemail took this party. */
  readonly voicemail: Record<string, never>;
  /** Ringline is about to dial the leg: written before the request goes out, so that it is never repeated blindly. */
  readonly 'dial-sent': Record<string, never>;
  /** The leg could not be made or dialled. */
  readonly refused: { readonly reason: OutcomeReason; readonly text: string };
  /** The switch has sent the invitation. */
  readonly dialling: Record<string, never>;
  readonly ringing: Record<string, never>;
  readonly progress: Record<string, never>;
  readonly answered: Record<string, never>;
  /** The first key that was pressed on a leg that is guarded: whether it was the 1 that takes the call. */
  readonly 'key-pressed': { readonly one: boolean };
  /** The leg came together with others. Key: the place where they meet, and the time. */
  readonly joined: { readonly room: string; readonly in?: RoomKind };
  readonly parted: { readonly room: string };
  /**
   * This party put the other on hold, or went on. Key: where a phone did it, the time; where the API did,
   * `api` and the place of who asked.
   */
  readonly held: Record<string, never>;
  readonly resumed: Record<string, never>;
  /** This party is not heard, or heard again. Key: the place of who asked. */
  readonly muted: Record<string, never>;
  readonly unmuted: Record<string, never>;
  /** Ringline is about to send this party digits: written before they go out, so that they go once. Key: id of the request. */
  readonly 'digits-sent': Record<string, never>;
  /** Who has the other party asks by his phone that it go elsewhere. Key of this and of its refusal: when, by the switch. */
  readonly 'transfer-wished': PhoneWish;
  /** It may not be, or cannot. A problem's type, and why in words. */
  readonly 'wish-refused': { readonly problem: string; readonly text: string };
  /** The switch itself carried out what this party's phone asked for: another leg took its place in the room. */
  readonly 'taken-over': { readonly by: string; readonly to: string };
  /** The leg is about to end: its own party left, or something in the switch ends it. */
  readonly 'hangup-asked': { readonly byParty: boolean };
  /** A Q.850 cause heard about the leg's end. Key: the cause. */
  readonly cause: { readonly q850: number };
  /** Ringline ends this leg. */
  readonly released: { readonly why: ReleaseReason };
  /** The leg is no longer under Ringline's control; it may live on in the dial plan. */
  readonly 'left-control': Record<string, never>;
  readonly ended: { readonly q850: number | null; readonly sip: number | null; readonly text: string | null };
};

export type FactKind = keyof FactDetail;

/** One thing learned about a leg. Identity within a node's boot: `(leg, kind, key)`. */
export type Fact = {
  readonly [K in FactKind]: {
    readonly leg: string;
    readonly kind: K;
    /** Empty for what happens once; the source's own identity for what repeats. */
    readonly key: string;
    /** When it happened, ms since the epoch, by the switch's clock. */
    readonly at: number;
    readonly source: FactSource;
    readonly data: FactDetail[K];
  };
}[FactKind];

export function factId(fact: Pick<Fact, 'leg' | 'kind' | 'key'>): string {
  return `${fact.leg}\n${fact.kind}\n${fact.key}`;
}

/** What a leg does once, and both events and the log tell: each knows of it what the other does not (`standing.ts`). */
export const twiceTold: ReadonlySet<FactKind> = new Set(['created', 'hangup-asked', 'left-control', 'ended']);
/** The key under which the log tells such a thing, so that it stands beside what events told. */
export const LOGGED = 'log';

/**
 * Which of two facts with one identity stands: the better source; of equal sources the earlier time; then an order that
 * does not depend on arrival. Associative and commutative, so any order of arrival leaves the same facts.
 */
export function betterFact(a: Fact, b: Fact): Fact {
  const rank = factSources.indexOf(a.source) - factSources.indexOf(b.source);
  if (rank !== 0) return rank > 0 ? a : b;
  if (a.at !== b.at) return a.at < b.at ? a : b;
  // When a party leaves, the switch itself asks for the leg's end once more, mostly within the same millisecond.
  if (a.kind === 'hangup-asked' && b.kind === 'hangup-asked' && a.data.byParty !== b.data.byParty) {
    return a.data.byParty ? a : b;
  }
  return JSON.stringify(a.data) <= JSON.stringify(b.data) ? a : b;
}

import type { OutcomeReason } from './call.js';
import {
  NODE_RESTARTED,
  betterFact,
  factId,
  type Fact,
  type FactDetail,
  type FactSource,
  type LegSide,
  type ReleaseReason,
} from './fact.js';
import type { PhoneWish, Plan } from './plan.js';
import { gatherRecordings, type RecordingState } from './recording.js';
import { factsByLeg, standingFacts } from './standing.js';
import { gatherTransfers, type TransferState } from './transfer.js';

/** A moment, and whether it was only inferred. */
export type Moment = { readonly at: number; readonly estimated: boolean };

/** One party's leg, as its facts tell it. */
export type LegState = {
  readonly id: string;
  readonly side: LegSide;
  readonly agentId: string | null;
  readonly device: string | null;
  readonly contact: string | null;
  /** The place of the transfer for which it is rung. */
  readonly transfer: number | null;
  readonly plannedAt: number | null;
  readonly createdAt: number | null;
  readonly linkedId: string | null;
  readonly sipCallId: string | null;
  /** What the switch itself calls the leg. */
  readonly name: string | null;
  readonly dialSentAt: number | null;
  readonly diallingAt: number | null;
  readonly ringing: Moment | null;
  readonly progressAt: number | null;
  /** Its person has the call: he answered; where the leg is guarded, he pressed 1. */
  readonly answered: Moment | null;
  /** A guarded leg was answered, by a person or a mailbox. */
  readonly pickedUp: Moment | null;
  /** The first key pressed on a guarded leg was another one than 1. */
  readonly isDeclined: boolean;
  readonly stays: readonly Stay[];
  /** Stretches of time in which this party had the other on hold, until it resumed: who hangs up meanwhile never did. */
  readonly holds: readonly Span[];
  readonly isMuted: boolean;
  /** Requests of which the digits went to this party. */
  readonly digitsSent: readonly string[];
  /** Transfers that its party asked for by phone, in order. */
  readonly wishes: readonly Wish[];
  /** A leg that the switch put in its place, and whom that reaches. */
  readonly takenOver: { readonly at: number; readonly by: string; readonly to: string } | null;
  readonly hangupAsked: { readonly at: number; readonly byParty: boolean } | null;
  readonly released: { readonly at: number; readonly why: ReleaseReason } | null;
  readonly leftControlAt: number | null;
  readonly refused: { readonly at: number; readonly reason: OutcomeReason; readonly text: string } | null;
  /** Nothing but the switch's log told of it: whether it is there now has to be asked. */
  readonly isOnlyLogged: boolean;
  readonly ended:
    (Moment & { readonly q850: number | null; readonly sip: number | null; readonly text: string | null }) | null;
};

/** A transfer that was asked for by phone. */
export type Wish = PhoneWish & { readonly key: string; readonly at: number; readonly refusedAt: number | null };

/** A stretch of time. `until` is null while it lasts. */
export type Span = { readonly from: number; readonly until: number | null };

/** A stretch of time that a leg spent in a room. */
export type Stay = Span & { readonly room: string; readonly estimated: boolean };

export type CallState = {
  readonly placed: FactDetail['placed'] & { readonly at: number };
  readonly cancelAsked: (FactDetail['cancel-asked'] & { readonly at: number }) | null;
  readonly handedBack: (FactDetail['handed-back'] & { readonly at: number }) | null;
  readonly found: FactDetail['contact-found'] | null;
  readonly annotations: readonly FactDetail['annotated'][];
  /** What was asked for, oldest first. */
  readonly holdAsks: readonly (FactDetail['hold-asked'] & { readonly at: number })[];
  readonly muteAsks: readonly (FactDetail['mute-asked'] & { readonly at: number })[];
  readonly digitAsks: readonly (FactDetail['digits-asked'] & { readonly id: string; readonly at: number })[];
  /** In order; only the last can be under way. */
  readonly transfers: readonly TransferState[];
  /** We have the other party on hold, whoever of ours it talks with. */
  readonly isOnHold: boolean;
  /** What was asked about recordings, in order. */
  readonly recordingAsks: readonly FactDetail['recording-asked'][];
  readonly recordings: readonly RecordingState[];
  /** In the order in which they came to be. */
  readonly legs: readonly LegState[];
  /** Some fact that stands was inferred after a gap. */
  readonly estimated: boolean;
};

/** True once nothing more will happen on this leg: it ended, or it was never made. */
export function isOver(leg: LegState): boolean {
  return leg.ended !== null || leg.refused !== null;
}

/** Facts of one call by identity, each the best that was told. */
export class FactSet {
  readonly #facts = new Map<string, Fact>();

  constructor(facts: Iterable<Fact> = []) {
    for (const fact of facts) this.add(fact);
  }

  /** Adds a fact. False when it tells nothing that was not known as well or better. */
  add(fact: Fact): boolean {
    const id = factId(fact);
    const known = this.#facts.get(id);
    if (known !== undefined && betterFact(known, fact) === known) return false;
    this.#facts.set(id, fact);
    return true;
  }

  /** The best that is known of these facts. */
  known(facts: readonly Fact[]): Fact[] {
    return facts.flatMap((fact) => this.#facts.get(factId(fact)) ?? []);
  }

  get size(): number {
    return this.#facts.size;
  }

  values(): IterableIterator<Fact> {
    return this.#facts.values();
  }
}

/**
 * Sorts the facts of one call into its state. Pure; does not depend on the order of the facts.
 * Null while nothing says what call this is (`placed` has not come yet).
 */
export function gatherState(callId: string, facts: Iterable<Fact>): CallState | null {
  const byLeg = factsByLeg(facts);
  const whole = byLeg.get(callId) ?? [];
  const placed = find(whole, 'placed');
  if (placed === undefined) return null;
  byLeg.delete(callId);
  const legs = [...byLeg].map(([id, group]) => [id, standingFacts(group)] as const);
  const lastSign = Math.max(...legs.map(([, group]) => lastSignIn(group)));
  const cancel = find(whole, 'cancel-asked');
  const handedBack = find(whole, 'handed-back');
  return {
    placed: { ...placed.data, at: placed.at },
    cancelAsked: cancel === undefined ? null : { ...cancel.data, at: cancel.at },
    handedBack: handedBack === undefined ? null : { ...handedBack.data, at: handedBack.at },
    found: all(whole, 'contact-found').at(-1)?.data ?? null,
    annotations: all(whole, 'annotated').map(({ data }) => data),
    holdAsks: all(whole, 'hold-asked').map(({ at, data }) => ({ ...data, at })),
    muteAsks: all(whole, 'mute-asked').map(({ at, data }) => ({ ...data, at })),
    digitAsks: all(whole, 'digits-asked').map(({ key, at, data }) => ({ ...data, id: key, at })),
    transfers: gatherTransfers(whole),
    isOnHold: isOn([...byLeg.values()].flat(), 'held', 'resumed', byApi),
    recordingAsks: all(whole, 'recording-asked').map(({ data }) => data),
    recordings: gatherRecordings(whole),
    legs: legs
      .map(([id, group]) => ofCaller(gatherLeg(id, group, lastSign), placed.data.plan))
      .filter(isTold)
      .toSorted(byOrigin),
    estimated: [whole, ...legs.map(([, group]) => group)].some((group) =>
      group.some(({ source }) => source === 'estimate'),
    ),
  };
}

/** Until it is told that a leg was planned, or is there, nobody knows whose it is. */
function isTold({ plannedAt, createdAt }: LegState): boolean {
  return plannedAt !== null || createdAt !== null;
}

/** Whatever else is told of the caller's leg, its party is the other one. */
function ofCaller(fresh: LegState, plan: Plan): LegState {
  const isCaller = plan.kind === 'ring-line' && plan.callerLeg === fresh.id;
  return isCaller ? Object.assign(fresh, { side: 'remote' } as const) : fresh;
}

/** @param lastSign When the switch is last known to have done anything with the call. */
export function gatherLeg(id: string, facts: readonly Fact[], lastSign: number): LegState {
  const planned = find(facts, 'planned');
  const created = find(facts, 'created');
  const released = find(facts, 'released');
  const hangupAsked = find(facts, 'hangup-asked');
  const takenOver = find(facts, 'taken-over');
  const refused = find(facts, 'refused');
  const ended = find(facts, 'ended');
  const answered = moment(find(facts, 'answered'));
  const isGuarded = planned?.data.guarded === true;
  const pressed = isGuarded ? find(facts, 'key-pressed') : undefined;
  const endedAt = ended === undefined ? null : endOf(ended, facts, lastSign);
  return {
    id,
    side: planned?.data.side ?? created?.data.side ?? 'remote',
    agentId: planned?.data.agentId ?? null,
    device: planned?.data.device ?? null,
    contact: planned?.data.contact ?? null,
    transfer: planned?.data.transfer ?? null,
    plannedAt: planned?.at ?? null,
    createdAt: created?.at ?? null,
    linkedId: created?.data.linkedId ?? null,
    sipCallId: created?.data.sipCallId ?? null,
    name: created?.data.name ?? null,
    dialSentAt: find(facts, 'dial-sent')?.at ?? null,
    diallingAt: find(facts, 'dialling')?.at ?? null,
    ringing: moment(find(facts, 'ringing')),
    progressAt: find(facts, 'progress')?.at ?? null,
    answered: isGuarded ? confirmation(pressed, released) : answered,
    pickedUp: isGuarded ? answered : null,
    isDeclined: pressed?.data.one === false,
    stays: stays(facts, endedAt),
    holds: holds(facts),
    isMuted: isOn(facts, 'muted', 'unmuted'),
    digitsSent: all(facts, 'digits-sent').map(({ key }) => key),
    wishes: all(facts, 'transfer-wished').map(({ key, at, data }) => ({
      ...data,
      key,
      at,
      refusedAt: all(facts, 'wish-refused').find((refusal) => refusal.key === key)?.at ?? null,
    })),
    takenOver: takenOver === undefined ? null : { at: takenOver.at, ...takenOver.data },
    hangupAsked: hangupAsked === undefined ? null : { at: hangupAsked.at, byParty: hangupAsked.data.byParty },
    released: released === undefined ? null : { at: released.at, why: released.data.why },
    leftControlAt: find(facts, 'left-control')?.at ?? null,
    refused: refused === undefined ? null : { at: refused.at, ...refused.data },
    isOnlyLogged: facts.every(({ source }) => source === 'cel'),
    ended:
      ended === undefined || endedAt === null
        ? null
        : {
            at: endedAt,
            estimated: ended.source === 'estimate',
            ...ended.data,
            q850: trueCause(facts, ended.data.q850),
          },
  };
}

/** The moment at which a guarded leg took the call. Who presses 1 when he was sent away already comes too late. */
function confirmation(
  pressed: Extract<Fact, { kind: 'key-pressed' }> | undefined,
  released: Extract<Fact, { kind: 'released' }> | undefined,
): Moment | null {
  if (pressed?.data.one !== true) return null;
  const isLate = released !== undefined && (released.data.why === 'not-confirmed' || released.at <= pressed.at);
  return isLate ? null : { at: pressed.at, estimated: false };
}

/**
 * An end that was inferred came after all that the switch is known to have done with the leg; where the switch itself ended,
 * with the call: its log may tell of that later than the end was inferred.
 */
function endOf(ended: Extract<Fact, { kind: 'ended' }>, facts: readonly Fact[], lastSign: number): number {
  if (ended.source !== 'estimate') return ended.at;
  return Math.max(ended.at, ended.data.text === NODE_RESTARTED ? lastSign : lastSignIn(facts));
}

export function lastSignIn(facts: readonly Fact[]): number {
  return Math.max(...facts.map(({ at, source }) => (source === 'switch' || source === 'cel' ? at : 0)));
}

/**
 * Asterisk scatters the cause: the end of a leg hung up by its own party may say 0 and an earlier request the true 16;
 * a leg that is deleted says 32 in a request and the truth at its end.
 */
function trueCause(facts: readonly Fact[], atEnd: number | null): number | null {
  if (atEnd !== null && atEnd !== 0) return atEnd;
  const heard = all(facts, 'cause').map(({ data }) => data.q850);
  return heard.filter((q850) => q850 !== 0 && q850 !== 32).toSorted((a, b) => a - b)[0] ?? null;
}

function stays(facts: readonly Fact[], endedAt: number | null): Stay[] {
  const parted = all(facts, 'parted');
  return all(facts, 'joined').map(({ at, source, data }) => {
    const left = parted
      .filter((fact) => fact.data.room === data.room && fact.at >= at)
      .reduce<number | null>((first, fact) => (first === null || fact.at < first ? fact.at : first), null);
    return { room: data.room, from: at, until: left ?? endedAt, estimated: source === 'estimate' };
  });
}

/** What a phone does and what the API does are apart: the one does not end the other's. */
function holds(facts: readonly Fact[]): Span[] {
  const [held, resumed] = [all(facts, 'held'), all(facts, 'resumed')];
  return [byApi, (fact: Fact) => !byApi(fact)].flatMap((which) => spans(held.filter(which), resumed.filter(which)));
}

/** From each beginning to the first end after it; beginnings in between are the same. */
function spans(begun: readonly Fact[], over: readonly Fact[]): Span[] {
  const found: Span[] = [];
  for (const { at } of begun) {
    const last = found.at(-1);
    if (last !== undefined && (last.until === null || last.until > at)) continue;
    found.push({ from: at, until: over.find((fact) => fact.at >= at)?.at ?? null });
  }
  return found;
}

/** Whether the newest of two opposite facts is the first. Equal times: what was asked for later. */
function isOn(
  facts: readonly Fact[],
  on: Fact['kind'],
  off: Fact['kind'],
  counts: (fact: Fact) => boolean = () => true,
): boolean {
  const both = facts.filter((fact) => (fact.kind === on || fact.kind === off) && counts(fact));
  return both.toSorted((a, b) => a.at - b.at || placeOf(a) - placeOf(b)).at(-1)?.kind === on;
}

/** The key of facts that follow from asks of the API. */
export function apiKey(place: number): string {
  return `api ${place}`;
}

function byApi({ key }: Fact): boolean {
  return key.startsWith('api ');
}

function placeOf({ key }: Fact): number {
  return Number(key.split(' ').at(-1));
}

export function find<K extends Fact['kind']>(facts: readonly Fact[], kind: K): Extract<Fact, { kind: K }> | undefined {
  return facts.find((fact): fact is Extract<Fact, { kind: K }> => fact.kind === kind);
}

export function all<K extends Fact['kind']>(facts: readonly Fact[], kind: K): Extract<Fact, { kind: K }>[] {
  return facts
    .filter((fact): fact is Extract<Fact, { kind: K }> => fact.kind === kind)
    .toSorted((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1));
}

function moment(fact: { at: number; source: FactSource } | undefined): Moment | null {
  return fact === undefined ? null : { at: fact.at, estimated: fact.source === 'estimate' };
}

/** The switch counts its channels: of two made in one moment .9 comes before .10. */
const inOrder = new Intl.Collator('en', { numeric: true });

export function byOrigin(a: LegState, b: LegState): number {
  const origin = (leg: LegState): number => Math.min(leg.plannedAt ?? Infinity, leg.createdAt ?? Infinity);
  const difference = origin(a) - origin(b);
  return Number.isNaN(difference) || difference === 0 ? inOrder.compare(a.id, b.id) : difference;
}

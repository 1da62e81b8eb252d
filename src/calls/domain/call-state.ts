import type { OutcomeReason } from './call.js';
import {
  NODE_RESTARTED,
  factId,
  standingFact,
  type Fact,
  type FactDetail,
  type FactSource,
  type LegSide,
  type ReleaseReason,
} from './fact.js';
import { standingSeries } from './series.js';

/** A moment, and whether it was only inferred. */
export type Moment = { readonly at: number; readonly estimated: boolean };

/** One party's leg, as its facts tell it. */
export type LegState = {
  readonly id: string;
  readonly side: LegSide;
  readonly agentId: string | null;
  readonly device: string | null;
  readonly contact: string | null;
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
  readonly answered: Moment | null;
  readonly stays: readonly Stay[];
  readonly hangupAsked: { readonly at: number; readonly byParty: boolean } | null;
  readonly released: { readonly at: number; readonly why: ReleaseReason } | null;
  readonly leftControlAt: number | null;
  readonly refused: { readonly at: number; readonly reason: OutcomeReason; readonly text: string } | null;
  /** Nothing but the switch's log told of it: whether it is there now has to be asked. */
  readonly isOnlyLogged: boolean;
  readonly ended:
    (Moment & { readonly q850: number | null; readonly sip: number | null; readonly text: string | null }) | null;
};

/** A stretch of time that a leg spent in a room. `until` is null while it is there. */
export type Stay = {
  readonly room: string;
  readonly from: number;
  readonly until: number | null;
  readonly estimated: boolean;
};

export type CallState = {
  readonly placed: FactDetail['placed'] & { readonly at: number };
  readonly cancelAsked: (FactDetail['cancel-asked'] & { readonly at: number }) | null;
  readonly handedBack: (FactDetail['handed-back'] & { readonly at: number }) | null;
  readonly unreachable: readonly FactDetail['unreachable'][];
  readonly annotations: readonly FactDetail['annotated'][];
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

  /** Adds a fact. Gives what stands now; null when that was known before. */
  add(fact: Fact): Fact | null {
    const id = factId(fact);
    const known = this.#facts.get(id);
    const standing = known === undefined ? fact : standingFact(known, fact);
    if (standing === known) return null;
    this.#facts.set(id, standing);
    return standing;
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
  const byLeg = new Map<string, Fact[]>();
  for (const fact of facts) {
    const group = byLeg.get(fact.leg);
    if (group === undefined) byLeg.set(fact.leg, [fact]);
    else group.push(fact);
  }
  const whole = byLeg.get(callId) ?? [];
  const placed = find(whole, 'placed');
  if (placed === undefined) return null;
  byLeg.delete(callId);
  const legs = [...byLeg].map(([id, group]) => [id, standingSeries(group)] as const);
  const lastSign = Math.max(...legs.map(([, group]) => lastSignIn(group)));
  const cancel = find(whole, 'cancel-asked');
  const handedBack = find(whole, 'handed-back');
  return {
    placed: { ...placed.data, at: placed.at },
    cancelAsked: cancel === undefined ? null : { ...cancel.data, at: cancel.at },
    handedBack: handedBack === undefined ? null : { ...handedBack.data, at: handedBack.at },
    unreachable: all(whole, 'unreachable').map(({ data }) => data),
    annotations: all(whole, 'annotated').map(({ data }) => data),
    legs: legs.map(([id, group]) => gatherLeg(id, group, lastSign)).toSorted(byOrigin),
    estimated: [whole, ...legs.map(([, group]) => group)].some((group) =>
      group.some(({ source }) => source === 'estimate'),
    ),
  };
}

/** @param lastSign When the switch is last known to have done anything with the call. */
function gatherLeg(id: string, facts: readonly Fact[], lastSign: number): LegState {
  const planned = find(facts, 'planned');
  const created = find(facts, 'created');
  const released = find(facts, 'released');
  const hangupAsked = find(facts, 'hangup-asked');
  const refused = find(facts, 'refused');
  const ended = find(facts, 'ended');
  const endedAt = ended === undefined ? null : endOf(ended, facts, lastSign);
  return {
    id,
    side: planned?.data.side ?? created?.data.side ?? 'remote',
    agentId: planned?.data.agentId ?? null,
    device: planned?.data.device ?? null,
    contact: planned?.data.contact ?? null,
    plannedAt: planned?.at ?? null,
    createdAt: created?.at ?? null,
    linkedId: created?.data.linkedId ?? null,
    sipCallId: created?.data.sipCallId ?? null,
    name: created?.data.name ?? null,
    dialSentAt: find(facts, 'dial-sent')?.at ?? null,
    diallingAt: find(facts, 'dialling')?.at ?? null,
    ringing: moment(find(facts, 'ringing')),
    progressAt: find(facts, 'progress')?.at ?? null,
    answered: moment(find(facts, 'answered')),
    stays: stays(facts, endedAt),
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

/**
 * An end that was inferred came after all that the switch is known to have done with the leg; where the switch itself ended,
 * with the call: its log may tell of that later than the end was inferred.
 */
function endOf(ended: Extract<Fact, { kind: 'ended' }>, facts: readonly Fact[], lastSign: number): number {
  if (ended.source !== 'estimate') return ended.at;
  return Math.max(ended.at, ended.data.text === NODE_RESTARTED ? lastSign : lastSignIn(facts));
}

function lastSignIn(facts: readonly Fact[]): number {
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

function find<K extends Fact['kind']>(facts: readonly Fact[], kind: K): Extract<Fact, { kind: K }> | undefined {
  return facts.find((fact): fact is Extract<Fact, { kind: K }> => fact.kind === kind);
}

function all<K extends Fact['kind']>(facts: readonly Fact[], kind: K): Extract<Fact, { kind: K }>[] {
  return facts
    .filter((fact): fact is Extract<Fact, { kind: K }> => fact.kind === kind)
    .toSorted((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1));
}

function moment(fact: { at: number; source: FactSource } | undefined): Moment | null {
  return fact === undefined ? null : { at: fact.at, estimated: fact.source === 'estimate' };
}

function byOrigin(a: LegState, b: LegState): number {
  const origin = (leg: LegState): number => Math.min(leg.plannedAt ?? Infinity, leg.createdAt ?? Infinity);
  const difference = origin(a) - origin(b);
  return Number.isNaN(difference) || difference === 0 ? (a.id < b.id ? -1 : 1) : difference;
}

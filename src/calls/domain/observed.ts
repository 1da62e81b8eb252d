import type { CallLine, CallNumber } from './call.js';
import { all, byOrigin, find, gatherLeg, lastSignIn, type LegState } from './call-state.js';
import type { Fact, FactDetail, RoomKind } from './fact.js';
import { factsByLeg, standingFacts } from './standing.js';

/** A leg of a call that the switch's own dial plan makes. */
export type ObservedLeg = LegState & {
  /** Null while nothing says what it is. */
  readonly party: FactDetail['party'] | null;
  /** It came into the dial plan by itself; else it was dialled. */
  readonly isOrigin: boolean;
  /** The switch itself made it, and a conversation began with it. */
  readonly isOriginated: boolean;
  /** Between whom the conversation is that it began; null for one that began none. */
  readonly began: FactDetail['observed'] | null;
  /** Whom it dialled, outside. */
  readonly called: CallNumber | null;
  /** Whose outside number that is; null where it is no agent's. */
  readonly ringsAgent: FactDetail['rings-agent'] | null;
  /** The line by which it was dialled, outside. */
  readonly leftBy: CallLine | null;
  /** When it passed the others on. */
  readonly passedOnAt: number | null;
  /** When voicemail took it. */
  readonly voicemailAt: number | null;
};

/** What is known of a call that Ringline only observes. */
export type ObservedState = FactDetail['observed'] & {
  readonly at: number;
  /** Somebody wants it to end. */
  readonly cancelAsked: (FactDetail['cancel-asked'] & { readonly at: number }) | null;
  readonly found: FactDetail['contact-found'] | null;
  readonly annotations: readonly FactDetail['annotated'][];
  /** In the order in which they came to be. */
  readonly legs: readonly ObservedLeg[];
  /** What kind of room it is, where it is no place for two. */
  readonly rooms: ReadonlyMap<string, RoomKind>;
  /** Some fact that stands was inferred after a gap. */
  readonly estimated: boolean;
};

/** Sorts the facts of an observed call. Null where nothing says that it is one. Does not depend on their order. */
export function gatherObserved(callId: string, facts: Iterable<Fact>): ObservedState | null {
  const byLeg = factsByLeg(facts);
  const whole = byLeg.get(callId) ?? [];
  const observed = find(whole, 'observed');
  if (observed === undefined) return null;
  const cancel = find(whole, 'cancel-asked');
  byLeg.delete(callId);
  const legs = [...byLeg].map(([id, group]) => [id, standingFacts(group)] as const);
  const lastSign = Math.max(...legs.map(([, group]) => lastSignIn(group)));
  const joined = legs.flatMap(([, group]) => all(group, 'joined'));
  const observedLegs = legs.map(([id, group]) => gatherObservedLeg(id, group, lastSign)).toSorted(byOrigin);
  return {
    // Who saw it first may have come later.
    at: Math.min(
      observed.at,
      ...observedLegs.flatMap(({ isOrigin, isOriginated, createdAt }) =>
        isOrigin || isOriginated ? (createdAt ?? []) : [],
      ),
    ),
    ...observed.data,
    cancelAsked: cancel === undefined ? null : { ...cancel.data, at: cancel.at },
    found: all(whole, 'contact-found').at(-1)?.data ?? null,
    annotations: all(whole, 'annotated').map(({ data }) => data),
    legs: observedLegs,
    rooms: new Map(joined.flatMap(({ data }) => (data.in === undefined ? [] : [[data.room, data.in] as const]))),
    estimated: legs.some(([, group]) => group.some(({ source }) => source === 'estimate')),
  };
}

function gatherObservedLeg(id: string, facts: readonly Fact[], lastSign: number): ObservedLeg {
  const isOriginated = find(facts, 'originated') !== undefined;
  // Into the fresh one: a copy of so many fields takes longer than to gather them.
  return Object.assign(gatherLeg(id, facts, lastSign), {
    party: find(facts, 'party')?.data ?? null,
    isOrigin: !isOriginated && find(facts, 'entered') !== undefined,
    isOriginated,
    began: find(facts, 'began')?.data ?? null,
    called: find(facts, 'called')?.data.number ?? null,
    ringsAgent: find(facts, 'rings-agent')?.data ?? null,
    leftBy: find(facts, 'left-by')?.data.line ?? null,
    passedOnAt: find(facts, 'passed-on')?.at ?? null,
    voicemailAt: find(facts, 'voicemail')?.at ?? null,
  });
}

import type { CallNumber } from './call.js';
import type { FactDetail } from './fact.js';
import { firstToAnswer, isEnd } from './observed-talk.js';
import type { ObservedLeg, ObservedState } from './observed.js';

/**
 * A call that the switch itself made, asked by another program or its own dial plan: it rang somebody, and when he answered went
 * on to somebody else. That is how a click elsewhere, a call-back from a queue and a dialler look.
 */
export type Originated = {
  /** The leg with which the switch began. */
  readonly root: ObservedLeg;
  /** Who was rung first, until one of them answered. */
  readonly rung: readonly ObservedLeg[];
  /** Who was called for the one who did. */
  readonly called: readonly ObservedLeg[];
};

/** Null for a call for which somebody came into the dial plan by himself. */
export function originatedCall({ legs }: ObservedState, customer: ObservedLeg | null): Originated | null {
  const root = legs.find(({ id }) => id === customer?.linkedId);
  if (root?.isOriginated !== true) return null;
  const ends = legs.filter(isEnd);
  const first = firstToAnswer(ends);
  // Whoever answered within the ms in which he was called was called before that.
  const wasBefore = (leg: ObservedLeg): boolean =>
    leg === first || (leg.createdAt ?? -Infinity) < (first?.answered?.at ?? Infinity);
  return { root, rung: ends.filter(wasBefore), called: ends.filter((leg) => !wasBefore(leg)) };
}

/**
 * Who answered first, for whom the other one was called: nobody has where the switch rings the other one first; and that one.
 * @param outside Who is outside; null where all are colleagues.
 */
export function partiesOf(
  { rung, called }: Originated,
  outside: ObservedLeg | null,
): { readonly asker: ObservedLeg | null; readonly asked: ObservedLeg | null } {
  const asker = firstToAnswer(rung.filter(({ id }) => id !== outside?.id));
  return { asker, asked: outside ?? (asker === null ? rung : called).at(-1) ?? null };
}

/** Between whom it is. What the root `entered` with tells only whom the switch rang, and as whom. */
export function betweenOriginated(
  call: Originated,
  told: FactDetail['observed'],
  customer: ObservedLeg,
  isOutbound: boolean,
): FactDetail['observed'] {
  const { root, called } = call;
  const { region, from: shown, to } = root.began ?? told;
  const rung = isEnd(root) ? numberOf(root) : to;
  const [other] = called;
  if (isOutbound) {
    const { asker } = partiesOf(call, customer);
    return { region, line: null, from: asker === null ? shown : numberOf(asker), to: numberOf(customer) };
  }
  if (other !== undefined) return { region, line: null, from: numberOf(customer), to: numberOf(other) };
  // A phone that is rung shows its own number, unless it was told to show another.
  return { region, line: null, from: shown.raw === rung.raw ? nobody : shown, to: rung };
}

const nobody: CallNumber = { raw: '', e164: null, name: null };

/** Of a phone inside the name of its endpoint. */
function numberOf({ called, party, ringsAgent }: ObservedLeg): CallNumber {
  if (party?.kind !== 'phone' || ringsAgent !== null) return called ?? nobody;
  return { ...nobody, raw: party.device?.replace(/^[^/]+\//, '') ?? '' };
}

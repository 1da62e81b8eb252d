import type { Span } from './call-state.js';
import type { ObservedLeg, ObservedState } from './observed.js';
import { otherEndOfWire } from './wire.js';

/** A stretch of time in which the customer and somebody else could hear each other. In a conference there are several at once. */
export type ObservedTalk = Span & { readonly customer: ObservedLeg; readonly other: ObservedLeg };

/** A call may run through so many wires, one after another: a member of a queue who forwards to a group. */
const MOST_WIRES = 3;

/**
 * The party whose conversation the call is: who came from outside; else the first who was reached outside; else who
 * dialled inside. Where the switch itself made the call, that is who answered first; an agent's phone outside is his phone.
 */
export function customerOf({ legs }: ObservedState): ObservedLeg | null {
  const ends = legs.filter(isEnd);
  const origins = ends.filter(({ isOrigin }) => isOrigin);
  const isOriginated = origins.length === 0 && legs.some((leg) => leg.isOriginated);
  const isOutside = ({ party, ringsAgent }: ObservedLeg): boolean =>
    party?.kind === 'trunk' && !(isOriginated && ringsAgent !== null);
  const first = isOriginated ? firstToAnswer(ends) : origins.find(isOutside);
  const origin = first ?? origins[0] ?? ends[0] ?? null;
  if (origin === null || isOutside(origin)) return origin;
  const outside = ends.filter((leg) => isOutside(leg) && !leg.isOrigin);
  return outside.find(hasAnswered) ?? outside[0] ?? origin;
}

function hasAnswered({ answered }: ObservedLeg): boolean {
  return answered !== null;
}

export function firstToAnswer(legs: readonly ObservedLeg[]): ObservedLeg | null {
  const at = ({ answered }: ObservedLeg): number => answered?.at ?? Infinity;
  return legs.filter(hasAnswered).toSorted((a, b) => at(a) - at(b))[0] ?? null;
}

/** A party, not a wire between two of them. */
export function isEnd(leg: ObservedLeg): boolean {
  return leg.party?.kind !== 'wire';
}

/** When the customer talked with whom, earliest first. */
export function observedTalks(state: ObservedState): readonly ObservedTalk[] {
  const customer = customerOf(state);
  if (customer === null) return [];
  const found: ObservedTalk[] = [];
  const follow = (leg: ObservedLeg, within: Span, passed: readonly string[]): void => {
    for (const stay of leg.stays) {
      const mine = overlap(stay, within);
      if (mine === null || state.rooms.get(stay.room) === 'holding') continue;
      for (const other of state.legs) {
        if (other.id === leg.id || other.id === customer.id || passed.includes(other.id)) continue;
        for (const theirs of other.stays) {
          const both = theirs.room === stay.room ? overlap(theirs, mine) : null;
          if (both === null) continue;
          if (isEnd(other)) found.push({ customer, other, ...both });
          else {
            const far = otherEndOf(state, other);
            if (far !== null && passed.length < 2 * MOST_WIRES) follow(far, both, [...passed, other.id, far.id]);
          }
        }
      }
    }
  };
  // Who is in a room with somebody counts as answered even if the word for it was lost.
  follow(customer, { from: customer.answered?.at ?? -Infinity, until: customer.ended?.at ?? null }, []);
  return found.toSorted((a, b) => a.from - b.from);
}

/** What goes in at one end of a wire comes out at the other. */
function otherEndOf({ legs }: ObservedState, wire: ObservedLeg): ObservedLeg | null {
  const other = otherEndOfWire(wire.name);
  return other === null ? null : (legs.find(({ name }) => name === other) ?? null);
}

function overlap(a: Span, b: Span): Span | null {
  const from = Math.max(a.from, b.from);
  const until = a.until === null ? b.until : b.until === null ? a.until : Math.min(a.until, b.until);
  // A wire may be taken away in the ms that joined its ends: they have met all the same.
  return until !== null && until < from ? null : { from, until };
}

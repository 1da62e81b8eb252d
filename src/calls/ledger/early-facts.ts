import { FactSet } from '../domain/call-state.js';
import type { Fact } from '../domain/fact.js';
import type { Known } from '../routing.js';

/** How long they are kept, ms: events that took the longest way are this late. */
const KEEP_MS = 60_000;
/**
 * How long while a leg is there, ms: who waits in a queue or a conference in which nobody else is has no call until somebody
 * comes. Longer than anybody waits; the end of one that is there for ever was missed.
 */
const KEEP_LIVE_MS = 12 * 3_600_000;
/** More legs, or more facts of one, are only told by a switch that tells of much that is not ours. */
const MOST_LEGS = 1_000;
const MOST_FACTS = 200;

/** A tenant, the country in whose way its numbers are read, and its line if that is what was dialled. */
export type Owner = { readonly tenantId: string; readonly region: string; readonly line: Known['line'] };

/** Whom a leg dialled, outside. */
export type Called = { readonly leg: string; readonly called: string; readonly at: number };

/** What is known of a leg besides its facts. */
type Seen = { readonly owner: Owner | null; readonly called: Called | null };

type Held = {
  readonly facts: FactSet;
  readonly since: number;
  owner: Owner | null;
  readonly called: Called[];
};

/**
 * What was told of legs that belong to no call yet. After a cut line the end of a leg may come by the new connection
 * before its beginning comes by the old one: it counts once the call is there.
 */
export class EarlyFacts {
  /** By leg key, the longest held first. */
  readonly #held = new Map<string, Held>();

  hold(
    key: string,
    facts: readonly Fact[],
    now: number,
    { owner, called }: Seen = { owner: null, called: null },
  ): void {
    for (const [old, { since, facts: theirs }] of this.#held) {
      const isFull = this.#held.size >= MOST_LEGS;
      if (now - since < KEEP_MS && !isFull) break;
      if (isFull || now - since >= KEEP_LIVE_MS || !isThere(theirs)) this.#held.delete(old);
    }
    const held = this.#held.get(key) ?? { facts: new FactSet(), since: now, owner: null, called: [] };
    this.#held.set(key, held);
    // Who knows the line knows more.
    if (held.owner === null || (held.owner.line === null && owner?.line != null)) held.owner = owner ?? held.owner;
    if (called !== null && held.called.length < MOST_FACTS) held.called.push(called);
    for (const fact of facts) if (held.facts.size < MOST_FACTS) held.facts.add(fact);
  }

  /** They stay until they are too old: a commit that fails is tried again, and hearing a fact twice changes nothing. */
  of(key: string): readonly Fact[] {
    return [...(this.#held.get(key)?.facts.values() ?? [])];
  }

  calledOf(key: string): readonly Called[] {
    return this.#held.get(key)?.called ?? [];
  }

  ownerOf(key: string): Owner | null {
    return this.#held.get(key)?.owner ?? null;
  }
}

/** Whether one of the legs that they tell of was made, and did not end. */
function isThere(facts: FactSet): boolean {
  const all = [...facts.values()];
  const ended = new Set(all.flatMap(({ kind, leg }) => (kind === 'ended' ? [leg] : [])));
  return all.some(({ kind, leg }) => kind === 'created' && !ended.has(leg));
}

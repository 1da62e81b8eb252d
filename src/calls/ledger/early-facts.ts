import type { Fact } from '../domain/fact.js';

/** How long they are kept, ms: events that took the longest way are this late. */
const KEEP_MS = 60_000;
/** More legs, or more facts of one, are only told by a switch that tells of much that is not ours. */
const MOST_LEGS = 1_000;
const MOST_FACTS = 100;

/** A tenant, and the country in whose way its numbers are read. */
export type Owner = { readonly tenantId: string; readonly region: string };

type Held = { readonly facts: Fact[]; readonly since: number; readonly owner: Owner | null };

/**
 * What was told of legs that belong to no call yet. After a cut line the end of a leg may come by the new connection
 * before its beginning comes by the old one: it counts once the call is there.
 */
export class EarlyFacts {
  /** By leg key, the longest held first. */
  readonly #held = new Map<string, Held>();

  /** @param owner Whose the leg is, where that is known already. */
  hold(key: string, facts: readonly Fact[], now: number, owner: Owner | null = null): void {
    for (const [old, { since }] of this.#held) {
      if (now - since < KEEP_MS && this.#held.size < MOST_LEGS) break;
      this.#held.delete(old);
    }
    const known = this.#held.get(key);
    const held = { facts: known?.facts ?? [], since: known?.since ?? now, owner: known?.owner ?? owner };
    this.#held.set(key, held);
    held.facts.push(...facts.slice(0, MOST_FACTS - held.facts.length));
  }

  /** They stay until they are too old: a commit that fails is tried again, and hearing a fact twice changes nothing. */
  of(key: string): readonly Fact[] {
    return this.#held.get(key)?.facts ?? [];
  }

  ownerOf(key: string): Owner | null {
    return this.#held.get(key)?.owner ?? null;
  }
}

import type { Call } from '../domain/call.js';
import type { CallEventType } from '../domain/call-event.js';
import { FactSet, gatherState, type CallState, type LegState } from '../domain/call-state.js';
import { changesBetween } from '../domain/changes.js';
import type { Fact } from '../domain/fact.js';
import { foldObserved } from '../domain/fold-observed.js';
import { gatherObserved, type ObservedState } from '../domain/observed.js';
import { foldCall, instant, type CallIdentity } from '../domain/fold.js';

/** One visible change: the type it is published as, and the whole call as of it. */
export type Change = { readonly type: CallEventType; readonly call: Call };

/** A call in memory: its facts, and the record they fold to. Its changes are not stored until the ledger commits them. */
export class LiveCall {
  readonly #facts: FactSet;
  /** Of a call that Ringline drives. */
  #state: CallState | null = null;
  /** Of one that it only observes. */
  #observed: ObservedState | null = null;
  /** Whether the record as it was read has been compared with what its facts fold to. */
  #isCompared: boolean;

  constructor(
    readonly identity: CallIdentity,
    /** Boot of the node that carries the call. */
    readonly boot: string,
    facts: Iterable<Fact>,
    /** As stored; null for a call that is new. */
    private stored: Call | null,
  ) {
    this.#facts = new FactSet(facts);
    this.#isCompared = stored === null;
    this.#gather();
  }

  get document(): Call | null {
    return this.stored;
  }

  get state(): CallState | null {
    return this.#state;
  }

  get observed(): ObservedState | null {
    return this.#observed;
  }

  get legs(): readonly LegState[] {
    return this.#state?.legs ?? this.#observed?.legs ?? [];
  }

  get facts(): readonly Fact[] {
    return [...this.#facts.values()];
  }

  get isOver(): boolean {
    return this.stored?.endedAt != null;
  }

  /**
   * Takes what one source told at one moment. Returns the facts that were news, and the changes they make. A record that was
   * read and is not what its facts fold to is put right though nothing is news: then those that are known count as such.
   */
  apply(facts: readonly Fact[]): { readonly news: readonly Fact[]; readonly changes: readonly Change[] } {
    const news = facts.filter((fact) => this.#facts.add(fact));
    if (news.length > 0) this.#gather();
    else if (this.#isCompared) return { news, changes: [] };
    this.#isCompared = true;
    const changes = this.#refold();
    return { news: news.length > 0 || changes.length === 0 ? news : this.#facts.known(facts), changes };
  }

  #refold(): readonly Change[] {
    const before = this.stored;
    const version = before?.version ?? 0;
    const folded = this.#fold(version + 1);
    // What has become part of another call tells nothing more.
    if (folded === null || before?.mergedInto != null) return [];
    const changes = changesBetween(before, folded).map((type, i): Change => ({
      type,
      call: { ...folded, version: version + 1 + i },
    }));
    this.stored = changes.at(-1)?.call ?? before;
    return changes;
  }

  /** Ends the record: its legs go on in another one. */
  mergeInto(merged: Extract<Fact, { kind: 'merged' }>): readonly Change[] {
    this.#facts.add(merged);
    const before = this.stored;
    if (before === null) return [];
    const version = before.version + 1;
    const call: Call = {
      ...before,
      status: 'ended',
      endedAt: before.endedAt ?? instant(merged.at),
      mergedInto: merged.data.into,
      version,
    };
    this.stored = call;
    return [{ type: 'call.merged', call }];
  }

  #gather(): void {
    this.#state = gatherState(this.identity.id, this.#facts.values());
    this.#observed = this.#state === null ? gatherObserved(this.identity.id, this.#facts.values()) : null;
  }

  #fold(version: number): Call | null {
    if (this.#state !== null) return foldCall(this.identity, this.#state, version);
    return this.#observed === null ? null : foldObserved(this.identity, this.#observed, version);
  }
}

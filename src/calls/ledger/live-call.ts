import type { Call } from '../domain/call.js';
import type { CallEventType } from '../domain/call-event.js';
import { FactSet, gatherState, type CallState } from '../domain/call-state.js';
import { changesBetween } from '../domain/changes.js';
import type { Fact } from '../domain/fact.js';
import { foldCall, type CallIdentity } from '../domain/fold.js';

/** One visible change: the type it is published as, and the whole call as of it. */
export type Change = { readonly type: CallEventType; readonly call: Call };

/** A call in memory: its facts, and the record they fold to. Its changes are not stored until the ledger commits them. */
export class LiveCall {
  readonly #facts: FactSet;
  #state: CallState | null;

  constructor(
    readonly identity: CallIdentity,
    /** Boot of the node that carries the call. */
    readonly boot: string,
    facts: Iterable<Fact>,
    /** As stored; null for a call that is new. */
    private stored: Call | null,
  ) {
    this.#facts = new FactSet(facts);
    this.#state = gatherState(identity.id, this.#facts.values());
  }

  get document(): Call | null {
    return this.stored;
  }

  get state(): CallState | null {
    return this.#state;
  }

  get isOver(): boolean {
    return this.stored?.endedAt != null;
  }

  /** Takes what one source told at one moment. Returns what stands now and did not before, and the changes it makes. */
  apply(facts: readonly Fact[]): { readonly news: readonly Fact[]; readonly changes: readonly Change[] } {
    const news = facts.flatMap((fact) => this.#facts.add(fact) ?? []);
    if (news.length === 0) return { news, changes: [] };
    this.#state = gatherState(this.identity.id, this.#facts.values());
    if (this.#state === null) return { news, changes: [] };
    const before = this.stored;
    const version = before?.version ?? 0;
    const folded = foldCall(this.identity, this.#state, version + 1);
    const changes = changesBetween(before, folded).map((type, i): Change => ({
      type,
      call: { ...folded, version: version + 1 + i },
    }));
    this.stored = changes.at(-1)?.call ?? before;
    return { news, changes };
  }
}

import { LiveCall } from '../../src/calls/ledger/live-call.js';
import type { CallStore, Commit } from '../../src/calls/ledger/ledger-store.js';
import { legKey } from '../../src/calls/ledger/told.js';
import type { Call } from '../../src/calls/domain/call.js';
import { factId, type Fact } from '../../src/calls/domain/fact.js';

type StoredCall = {
  readonly tenantId: string;
  readonly nodeId: string;
  readonly boot: string;
  document: Call | null;
  readonly facts: Map<string, Fact>;
};

/** A store of calls that keeps them in memory, for the ledger of a replay. */
export class MemoryStore implements CallStore {
  readonly #calls = new Map<string, StoredCall>();
  readonly #callOfLeg = new Map<string, string>();

  commit({ facts, calls }: Commit): Promise<void> {
    for (const { nodeId, boot, fact, tenantId, callId } of facts) {
      const stored = this.#calls.get(callId) ?? { tenantId, nodeId, boot, document: null, facts: new Map() };
      this.#calls.set(callId, stored);
      stored.facts.set(factId(fact), fact);
      this.#callOfLeg.set(legKey({ nodeId, boot }, fact.leg), callId);
    }
    for (const call of calls) {
      const stored = this.#calls.get(call.id);
      if (stored !== undefined) stored.document = call;
    }
    return Promise.resolve();
  }

  callsOfLegs(legs: Parameters<CallStore['callsOfLegs']>[0]): ReturnType<CallStore['callsOfLegs']> {
    const owners = legs.flatMap((leg) => {
      const key = legKey(leg, leg.leg);
      const callId = this.#callOfLeg.get(key);
      const tenantId = callId === undefined ? undefined : this.#calls.get(callId)?.tenantId;
      return callId === undefined || tenantId === undefined ? [] : [[key, { tenantId, callId }] as const];
    });
    return Promise.resolve(new Map(owners));
  }

  load(callIds: readonly string[]): Promise<LiveCall[]> {
    return Promise.resolve(callIds.flatMap((id) => this.#live(id)));
  }

  loadOpen(nodeId: string): Promise<LiveCall[]> {
    const open = [...this.#calls].filter(
      ([, { nodeId: own, document }]) => own === nodeId && document !== null && document.endedAt === null,
    );
    return Promise.resolve(open.flatMap(([id]) => this.#live(id)));
  }

  /** Everything that is known of a call. */
  factsOf(callId: string): readonly Fact[] {
    return [...(this.#calls.get(callId)?.facts.values() ?? [])];
  }

  /** Forgets all calls that are over. */
  forgetEnded(): void {
    for (const [id, { document }] of this.#calls) if (document?.endedAt != null) this.#calls.delete(id);
    for (const [key, id] of this.#callOfLeg) if (!this.#calls.has(id)) this.#callOfLeg.delete(key);
  }

  #live(id: string): LiveCall[] {
    const stored = this.#calls.get(id);
    if (stored === undefined) return [];
    const { tenantId, nodeId, boot, facts, document } = stored;
    return [new LiveCall({ id, tenantId, pbxNodeId: nodeId }, boot, facts.values(), document)];
  }
}

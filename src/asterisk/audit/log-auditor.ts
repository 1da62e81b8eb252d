import { Registry } from 'prom-client';
import type { DataSource } from 'typeorm';
import { callOfOurId } from '../../calls/control/legs.js';
import type { Call } from '../../calls/domain/call.js';
import { CallLedger } from '../../calls/ledger/call-ledger.js';
import { LedgerMetrics } from '../../calls/ledger/ledger-metrics.js';
import { LedgerStore, type CallStore } from '../../calls/ledger/ledger-store.js';
import type { LiveCall } from '../../calls/ledger/live-call.js';
import { LineRouting } from '../../calls/line-routing.js';
import { createLog } from '../../common/logger.js';
import { AsteriskMetrics } from '../asterisk-metrics.js';
import { NodeCel, type CelNode } from '../cel/node-cel.js';
import { nodeMemoryIn, type NodeRun } from '../node-memory.js';
import { SwitchClock } from '../switch-clock.js';
import type { Conversation } from './conversations.js';
import { differencesOf, type Difference } from './differences.js';

/** A conversation of the log whose record is not the same. */
export type Finding = {
  readonly conversation: Conversation;
  /** Null where there is no record. */
  readonly callId: string | null;
  readonly differences: readonly Difference[];
  /** Whether the log tells enough to put it right. */
  readonly isRepairable: boolean;
};

/** What a conversation of the log came to: null where it is no call of a tenant. */
export type Verdict = readonly Finding[] | null;

/** Records of one conversation begin within so long of each other, ms. */
const SAME_CALL_MS = 3_600_000;

/**
 * For the log of one node.
 * @param from, to Between which its conversations begin, ms by the switch's clock.
 * @returns null where Ringline was never connected to the node
 */
export async function openAuditor(
  source: DataSource,
  node: CelNode,
  from: number,
  to: number,
): Promise<LogAuditor | null> {
  const runs = await nodeMemoryIn(source).runs(node.id);
  return runs.length === 0 ? null : new LogAuditor(source, node, runs, await doublesOf(source, node.id, from, to));
}

/** Records of which several are of one conversation, by its linked id. */
async function doublesOf(source: DataSource, nodeId: string, from: number, to: number): Promise<Map<string, string[]>> {
  const rows: { linked: string; ids: string[] }[] = await source.query(
    `select document->>'linkedId' as linked, array_agg(id::text) as ids from call
      where pbx_node_id = $1 and started_at between $2 and $3 and document->>'mergedInto' is null
      group by 1 having count(*) > 1 and document->>'linkedId' is not null`,
    [nodeId, new Date(from - SAME_CALL_MS), new Date(to + SAME_CALL_MS)],
  );
  return new Map(rows.map(({ linked, ids }) => [linked, ids]));
}

/**
 * Tells conversations of a log to a ledger that stores nothing, on the way that every line of a log takes, and compares what
 * each record would be with what is stored.
 */
class LogAuditor {
  readonly #store: ReadStore;
  readonly #ledger: CallLedger;
  readonly #cel: NodeCel;

  constructor(
    source: DataSource,
    private readonly node: CelNode,
    /** Runs of the switch, newest first. */
    private readonly runs: readonly NodeRun[],
    /** Records of one conversation, by its linked id, where there are several. */
    private readonly doubles: ReadonlyMap<string, readonly string[]>,
  ) {
    const log = createLog('silent');
    const registry = new Registry();
    const now = Date.now();
    this.#store = new ReadStore(new LedgerStore(source));
    const metrics = new LedgerMetrics({ registry });
    this.#ledger = new CallLedger(this.#store, new LineRouting(source), metrics, { now: () => now }, log);
    const [run] = runs;
    // All of it is past: nothing is waited for.
    const present = run === undefined ? null : { boot: run.boot, connectedAt: Infinity, now: Infinity };
    const none = (): number => 0;
    const memory = nodeMemoryIn(source);
    const counts = new AsteriskMetrics({ registry: new Registry() }, none, none);
    this.#cel = new NodeCel(node, () => present, new SwitchClock(), this.#ledger, memory, counts, log);
  }

  async check(conversation: Conversation): Promise<Verdict> {
    const { channels, startedAt, lines } = conversation;
    await this.#cel.take(lines);
    const boot = this.runs.find((run) => run.startedAt <= startedAt)?.boot;
    if (boot === undefined) return null;
    const calls = new Map<string, LiveCall>();
    for (const channel of channels) {
      const call = this.#ledger.callOfLeg({ nodeId: this.node.id, boot }, channel);
      if (call !== null) calls.set(call.identity.id, call);
    }
    const found = [...calls].flatMap(([callId, { document }]): Finding[] => {
      const differences = document === null ? [] : differencesOf(this.#store.storedOf(callId), document);
      const isMissing = differences.some(({ kind }) => kind === 'missing');
      const record = isMissing ? null : callId;
      return differences.length === 0 ? [] : [{ conversation, callId: record, differences, isRepairable: true }];
    });
    found.push(...this.#lost(conversation, calls), ...this.#doubled(conversation, calls));
    return calls.size === 0 && found.length === 0 ? null : found;
  }

  /** Of a call that Ringline placed the log has the legs, and not who asked for it. */
  #lost(conversation: Conversation, calls: ReadonlyMap<string, LiveCall>): Finding[] {
    const ids = new Set(conversation.channels.flatMap((channel) => callOfOurId(channel) ?? []));
    if (calls.size > 0 || ids.size === 0) return [];
    const differences: Difference[] = [{ kind: 'missing', field: 'outcome', record: null, log: null }];
    return [{ conversation, callId: null, differences, isRepairable: false }];
  }

  #doubled(conversation: Conversation, calls: ReadonlyMap<string, LiveCall>): Finding[] {
    const ids = conversation.channels.flatMap((channel) => this.doubles.get(channel) ?? []);
    const [own = null] = calls.keys();
    return ids
      .filter((callId) => !calls.has(callId))
      .map((callId) => ({
        conversation,
        callId,
        differences: [{ kind: 'doubled', field: 'id', record: callId, log: own }],
        isRepairable: false,
      }));
  }
}

/** Reads what is stored, and writes nothing. */
class ReadStore implements CallStore {
  readonly #stored = new Map<string, Call | null>();

  constructor(private readonly store: LedgerStore) {}

  /** The record as it was read; null where there was none. */
  storedOf(callId: string): Call | null {
    return this.#stored.get(callId) ?? null;
  }

  commit(): Promise<void> {
    return Promise.resolve();
  }

  callsOfLegs(legs: Parameters<CallStore['callsOfLegs']>[0]): ReturnType<CallStore['callsOfLegs']> {
    return this.store.callsOfLegs(legs);
  }

  async load(callIds: readonly string[]): Promise<LiveCall[]> {
    const calls = await this.store.load(callIds);
    for (const { identity, document } of calls) this.#stored.set(identity.id, document);
    return calls;
  }

  loadOpen(): Promise<LiveCall[]> {
    return Promise.resolve([]);
  }
}

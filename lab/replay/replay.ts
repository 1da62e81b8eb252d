import { Registry } from 'prom-client';
import { parseFrame, type AriFrame } from '../../src/asterisk/ari-frame.js';
import { reconcile } from '../../src/asterisk/reconcile.js';
import type { StreamEntry } from '../../src/asterisk/raw-stream/stream-entry.js';
import { SwitchClock } from '../../src/asterisk/switch-clock.js';
import { translate } from '../../src/asterisk/translate.js';
import type { Call } from '../../src/calls/domain/call.js';
import type { CallEvent, CallEventType } from '../../src/calls/domain/call-event.js';
import { CallLedger } from '../../src/calls/ledger/call-ledger.js';
import { LedgerMetrics } from '../../src/calls/ledger/ledger-metrics.js';
import type { CallStore } from '../../src/calls/ledger/ledger-store.js';
import type { Told } from '../../src/calls/ledger/told.js';
import { Routing, type Route } from '../../src/calls/routing.js';
import { newId } from '../../src/common/ids.js';
import { createLog } from '../../src/common/logger.js';
import { MemoryStore } from './memory-store.js';

/** What a call of a stream came to. */
export type ReplayedCall = {
  /** As of the newest event. */
  readonly record: Call;
  readonly events: readonly ReplayedEvent[];
};
export type ReplayedEvent = {
  readonly sequence: number;
  readonly type: CallEventType;
  readonly at: string;
  readonly call: Call;
};

export type Replayed = {
  readonly calls: readonly ReplayedCall[];
  readonly frames: number;
  /** Frames that are no events. */
  readonly badFrames: number;
  readonly snapshots: number;
  /** Callers whose number was no line. */
  readonly unrouted: number;
  /** Things told about legs of no call: of calls that began before the stream, or were never ours. */
  readonly unassigned: number;
  /** Lines that were lost while the stream was recorded. */
  readonly missed: number;
};

const log = createLog('silent');

/** A real ledger over a store in memory, with the clock and the lines of a recorded stream. */
export class ReplayLedger {
  readonly ledger: CallLedger;
  readonly calls = new Map<string, { record: Call; events: ReplayedEvent[] }>();
  /** What the ledger was told, in order. */
  readonly told: Told[] = [];
  unrouted = 0;
  readonly #routes: RecordedRoutes;
  readonly #clock: { at: number };

  constructor(
    entries: readonly StreamEntry[],
    readonly store: CallStore,
    private readonly metrics = new LedgerMetrics({ registry: new Registry() }),
  ) {
    const clock = { at: entries[0]?.at ?? 0 };
    this.#clock = clock;
    const routes = new RecordedRoutes();
    routes.learn(entries);
    this.#routes = routes;
    this.ledger = new CallLedger(store, routes, metrics, { now: () => clock.at }, log, (leg) => routes.callIdOf(leg));
    this.ledger.subscribe(
      [
        {
          name: 'replay',
          onCommit: (changes) => {
            for (const { call, events } of changes) this.#keep(call, events);
          },
        },
      ],
      () => void this.unrouted++,
    );
  }

  /** Gets to know the lines of another stream. */
  learn(entries: readonly StreamEntry[]): void {
    this.#routes.learn(entries);
  }

  forgetLines(): void {
    this.#routes.forget();
  }

  /** @param at What time it is, ms. */
  tell(told: Told, at: number): void {
    this.#clock.at = Math.max(this.#clock.at, at);
    this.told.push(told);
    if (told.arrival !== undefined) this.#routes.turnTo(told.leg);
    this.ledger.tell(told);
  }

  async unassigned(): Promise<number> {
    return (await this.metrics.unassigned.get()).values[0]?.value ?? 0;
  }

  #keep(record: Call, events: readonly { readonly event: CallEvent }[]): void {
    const kept = this.calls.get(record.id) ?? { record, events: [] };
    this.calls.set(record.id, kept);
    kept.record = record;
    for (const { event } of events)
      kept.events.push({
        sequence: event.sequence,
        type: event.type,
        at: event.timestamp,
        call: event.data.call,
      });
  }
}

/**
 * What one frame tells; null for one that tells nothing of a call. A frame that is no event is 'bad'.
 * @param steady Puts the times of frames right that come in order.
 */
export function toldByFrame(
  entry: Extract<StreamEntry, { kind: 'frame' }>,
  steady: (frame: AriFrame) => AriFrame = (frame) => frame,
): Told | 'bad' | null {
  const frame = parseFrame(entry.text);
  if (frame === null) return 'bad';
  const translation = translate(steady(frame), entry.at);
  // As something that is waited for, so that the ledger does not gather more before it commits.
  return translation && { nodeId: entry.node, boot: entry.boot, receivedAt: null, ...translation };
}

/** What an entry of our own told. */
export function toldByUs(entry: Extract<StreamEntry, { kind: 'told' }>): Told {
  return { nodeId: entry.node, boot: entry.boot, receivedAt: null, ...entry.told };
}

/** Folds a stream in its own order, as the service did that recorded it. */
export async function replay(
  entries: readonly StreamEntry[],
  store: CallStore = new MemoryStore(),
): Promise<Replayed & { readonly told: readonly Told[] }> {
  const target = new ReplayLedger(entries, store);
  const { ledger } = target;
  const missing = new Map<string, ReadonlySet<string> | 'all'>();
  const clocks = new Map<string, ReturnType<SwitchClock['listen']>>();
  const counts = { frames: 0, badFrames: 0, snapshots: 0, missed: 0 };
  for (const entry of entries) {
    switch (entry.kind) {
      case 'opened':
        missing.set(entry.node, 'all');
        clocks.set(entry.node, new SwitchClock().listen());
        break;
      case 'closed':
      case 'routed':
        break;
      case 'missed':
        counts.missed += entry.lines;
        break;
      case 'frame': {
        counts.frames++;
        const told = toldByFrame(entry, (frame) => clocks.get(entry.node)?.(frame, entry.at) ?? frame);
        if (told === 'bad') counts.badFrames++;
        else if (told !== null) target.tell(told, entry.at);
        break;
      }
      case 'told':
        target.tell(toldByUs(entry), entry.at);
        break;
      case 'snapshot': {
        counts.snapshots++;
        const { node: nodeId, aliveAt } = entry;
        const found = reconcile(entry, ledger.openCallsOf(nodeId), missing.get(nodeId) ?? 'all', aliveAt);
        missing.set(nodeId, found.missing);
        for (const told of found.told) target.tell({ nodeId, receivedAt: null, ...told }, entry.at);
        break;
      }
    }
    await ledger.settled();
  }
  return {
    calls: [...target.calls.values()],
    ...counts,
    unrouted: target.unrouted,
    unassigned: await target.unassigned(),
    told: target.told,
  };
}

type Routed = Extract<StreamEntry, { kind: 'routed' }>;

/** Lines as they were when each caller came. */
class RecordedRoutes extends Routing {
  readonly #now = new Map<string, Route | null>();
  readonly #byLeg = new Map<string, Routed>();

  learn(entries: readonly StreamEntry[]): void {
    for (const entry of entries) {
      if (entry.kind === 'routed') this.#byLeg.set(entry.leg, entry);
    }
  }

  forget(): void {
    this.#byLeg.clear();
    this.#now.clear();
  }

  /** From now on lines are as they were when this caller came. */
  turnTo(leg: string): void {
    const routed = this.#byLeg.get(leg);
    if (routed !== undefined) this.#now.set(`${routed.node}\n${routed.did}`, routed.route);
  }

  callIdOf(leg: string): string {
    return this.#byLeg.get(leg)?.callId ?? newId();
  }

  routes(wanted: readonly { readonly nodeId: string; readonly did: string }[]): Promise<readonly (Route | null)[]> {
    return Promise.resolve(wanted.map(({ nodeId, did }) => this.#now.get(`${nodeId}\n${did}`) ?? null));
  }

  /** A stream holds what the control app was told, and that app is told nothing of other calls. */
  known(seen: readonly unknown[]): Promise<readonly null[]> {
    return Promise.resolve(seen.map(() => null));
  }
}

import type { AfterCommit, CommittedChange } from '../calls/after-commit.js';

/** Who has work when events of these tenants were committed. Returns at once; a nudge that is lost is swept up later. */
export type Nudge = (tenantIds: ReadonlySet<string>) => void;

/** PostgreSQL channel: events were committed. Payload: ids of their tenants, separated by commas. */
export const EVENTS_COMMITTED = 'ringline_events_committed';

/** Other processes are told this often at most, ms: their work comes in batches anyway. */
const TELL_EVERY_MS = 50;

/**
 * Tells the relay and the senders that there is something to do, so that nothing waits for a sweep: those of this process,
 * or, where it has none, those of other processes by way of PostgreSQL.
 */
export class OutboxWakeUp implements AfterCommit {
  readonly name = 'outbox';
  readonly #nudges = new Set<Nudge>();
  /** Tenants that other processes have not been told of. */
  readonly #untold = new Set<string>();
  #isPaused = false;

  /** @param notify Tells other processes. Does not throw; what it loses is swept up later. */
  constructor(private readonly notify: (tenantIds: string) => void) {}

  add(nudge: Nudge): void {
    this.#nudges.add(nudge);
  }

  /** Whether anybody in this process has work when events are committed. */
  get wakesAnybody(): boolean {
    return this.#nudges.size > 0;
  }

  onCommit(changes: readonly CommittedChange[]): void {
    const tenantIds = new Set<string>();
    for (const { tenantId, events } of changes) if (events.length > 0) tenantIds.add(tenantId);
    if (tenantIds.size > 0) this.wakeEverywhere(tenantIds);
  }

  /** There is something to send for these tenants, which this process alone knows. */
  wakeEverywhere(tenantIds: ReadonlySet<string>): void {
    if (this.wakesAnybody) this.wake(tenantIds);
    else {
      for (const tenantId of tenantIds) this.#untold.add(tenantId);
      if (!this.#isPaused) this.#tell();
    }
  }

  #tell(): void {
    this.notify([...this.#untold].join(','));
    this.#untold.clear();
    this.#isPaused = true;
    setTimeout(() => {
      this.#isPaused = false;
      if (this.#untold.size > 0) this.#tell();
    }, TELL_EVERY_MS).unref();
  }

  /** The same, when every process is told of it. */
  wake(tenantIds: ReadonlySet<string>): void {
    for (const nudge of this.#nudges) nudge(tenantIds);
  }
}

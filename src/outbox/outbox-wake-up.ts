import type { AfterCommit, CommittedChange } from '../calls/after-commit.js';

/** Who has work when events of these tenants were committed. Returns at once; a nudge that is lost is swept up later. */
export type Nudge = (tenantIds: ReadonlySet<string>) => void;

/**
 * Tells the relay and the senders of this process that there is something to do, so that nothing waits for a sweep.
 * Without a worker part in this process there is nobody to nudge; the sweep of another process finds the rows.
 */
export class OutboxWakeUp implements AfterCommit {
  readonly name = 'outbox';
  readonly #nudges = new Set<Nudge>();

  add(nudge: Nudge): void {
    this.#nudges.add(nudge);
  }

  onCommit(changes: readonly CommittedChange[]): void {
    const tenantIds = new Set<string>();
    for (const { tenantId, events } of changes) if (events.length > 0) tenantIds.add(tenantId);
    if (tenantIds.size === 0) return;
    for (const nudge of this.#nudges) nudge(tenantIds);
  }
}

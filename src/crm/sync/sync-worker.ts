import type { Log } from '../../common/logger.js';
import { within } from '../../common/within.js';
import type { Database } from '../../database/database.js';
import { NudgedLoop } from '../../outbox/nudged-loop.js';
import type { CallSync, Ending } from './call-sync.js';
import type { CrmSyncMetrics } from './crm-sync-metrics.js';
import type { Claim, Room, SyncStore } from './sync-store.js';

export type WorkerLimits = {
  /** Calls that are told to one CRM at a time: those that go on or have just ended, and beside them what can wait. */
  readonly perConnection: Room;
  readonly perTenant: number;
  readonly total: number;
  /** How late a row may be whose wake-up was lost. */
  readonly sweepMs: number;
  /** How often it says that it still works on what it claimed: well within a claim’s time. */
  readonly renewMs: number;
  /** How long a stop waits for steps that are open. */
  readonly stopMs: number;
};

export const workerLimits: WorkerLimits = {
  perConnection: { live: 8, late: 4 },
  perTenant: 48,
  total: 240,
  sweepMs: 5_000,
  renewMs: 5_000,
  stopMs: 20_000,
};

/** Between rounds under load; a lone call is not held up by it. */
const GAP_MS = 20;
/** A lane that is not used is forgotten. */
const FORGET_LANE_MS = 60_000;

/** One connection as this process sees it now. */
type Lane = {
  readonly tenantId: string;
  live: number;
  late: number;
  pausedUntil: number;
  touchedAt: number;
};

/**
 * Brings calls to CRMs. PostgreSQL says which rows are due and who works on them; this only keeps how many are open. A call's
 * steps go to a CRM one after the other, calls beside each other.
 */
export class SyncWorker {
  readonly #loop: NudgedLoop;
  readonly #lanes = new Map<string, Lane>();
  readonly #open = new Map<Claim, Promise<void>>();
  #renewing: NodeJS.Timeout | undefined;
  #wanted = new Set<string>();
  /** Tenants with a CRM: for the others every commit would ask PostgreSQL in vain. */
  #served: ReadonlySet<string> = new Set();
  #isStopping = false;
  #told: string | undefined;

  constructor(
    private readonly database: Pick<Database, 'state' | 'assertReady'>,
    private readonly store: Pick<SyncStore, 'tenants' | 'claim' | 'renew'>,
    private readonly sync: Pick<CallSync, 'run'>,
    private readonly metrics: Pick<CrmSyncMetrics, 'open'>,
    private readonly log: Log,
    private readonly limits: WorkerLimits = workerLimits,
  ) {
    this.#loop = new NudgedLoop((swept) => this.#round(swept), limits.sweepMs, GAP_MS);
  }

  start(): void {
    this.#loop.start();
    this.#renewing = setInterval(() => void this.#renew(), this.limits.renewMs).unref();
  }

  /** There may be something due for these tenants. */
  nudge(tenantIds: Iterable<string>): void {
    for (const tenantId of tenantIds) if (this.#served.has(tenantId)) this.#wanted.add(tenantId);
    if (this.#wanted.size > 0) this.#loop.nudge();
  }

  /** A connection was made or changed: its first call is not to wait for a sweep. */
  connectionsChanged(): void {
    this.#loop.sweep();
  }

  /** Claims nothing more, waits for steps that are open, and has claims given back. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#loop.stop();
    await within(this.limits.stopMs, Promise.all(this.#open.values()), []);
    clearInterval(this.#renewing);
  }

  async #round(swept: boolean): Promise<boolean> {
    if (this.#isStopping) return false;
    this.database.assertReady();
    const wanted = this.#wanted;
    this.#wanted = new Set();
    if (swept) this.#forgetIdleLanes();
    else if (wanted.size === 0) return false;
    try {
      if (swept) this.#served = await this.store.tenants();
      await this.#claim(swept ? null : wanted);
      this.#told = undefined;
      return false;
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      if (words !== this.#told) this.log.warn({ scope: 'crm', error }, 'CRM syncs wait for the database');
      this.#told = words;
      throw error;
    }
  }

  async #claim(tenantIds: ReadonlySet<string> | null): Promise<void> {
    const { perConnection, perTenant, total } = this.limits;
    const now = performance.now();
    const room = new Map<string, Room>();
    const tenantRoom = new Map<string, number>();
    let busy = 0;
    for (const [id, lane] of this.#lanes) {
      const has = lane.live + lane.late;
      busy += has;
      const isPaused = lane.pausedUntil > now;
      const left = (most: number, open: number): number => (isPaused ? 0 : Math.max(0, most - open));
      room.set(id, { live: left(perConnection.live, lane.live), late: left(perConnection.late, lane.late) });
      tenantRoom.set(lane.tenantId, Math.max(0, (tenantRoom.get(lane.tenantId) ?? perTenant) - has));
    }
    // Every end of a sync makes another round.
    if (busy >= total) return;
    const claims = await this.store.claim({
      tenantIds: tenantIds === null ? null : [...tenantIds],
      room,
      otherRoom: perConnection,
      tenantRoom,
      otherTenantRoom: perTenant,
      limit: total - busy,
    });
    for (const claim of claims) this.#run(claim);
  }

  /** A step may take longer than a claim holds, which is no longer than a process that died should be waited for. */
  async #renew(): Promise<void> {
    if (this.#open.size === 0 || this.database.state.status !== 'ready') return;
    try {
      await this.store.renew([...this.#open.keys()]);
    } catch (error) {
      this.log.warn({ scope: 'crm', error }, 'claims of CRM syncs could not be renewed');
    }
  }

  #run(claim: Claim): void {
    const lane = this.#lane(claim);
    const which = claim.isLate ? 'late' : 'live';
    lane[which] += 1;
    this.metrics.open.inc();
    const running = this.sync
      .run(claim, () => !this.#isStopping)
      .catch((error: unknown): Ending => {
        // Its claim runs out.
        this.log.warn({ scope: 'crm', callId: claim.callId, error }, 'a CRM sync broke off');
        return {};
      })
      .then(({ dueInMs, pauseMs }) => {
        lane[which] -= 1;
        lane.touchedAt = performance.now();
        this.metrics.open.dec();
        this.#open.delete(claim);
        if (pauseMs !== undefined) lane.pausedUntil = lane.touchedAt + pauseMs;
        if (this.#isStopping) return;
        this.nudge([claim.tenantId]);
        // What is due later than the next sweep is found by it.
        if (dueInMs !== undefined && dueInMs > 0 && dueInMs < this.limits.sweepMs) {
          setTimeout(() => this.nudge([claim.tenantId]), dueInMs + 1).unref();
        }
      });
    this.#open.set(claim, running);
  }

  #lane({ connectionId, tenantId }: Claim): Lane {
    const known = this.#lanes.get(connectionId);
    if (known !== undefined) return known;
    const lane: Lane = { tenantId, live: 0, late: 0, pausedUntil: 0, touchedAt: performance.now() };
    this.#lanes.set(connectionId, lane);
    return lane;
  }

  #forgetIdleLanes(): void {
    const now = performance.now();
    for (const [id, { live, late, pausedUntil, touchedAt }] of this.#lanes) {
      if (live + late === 0 && pausedUntil < now && now - touchedAt > FORGET_LANE_MS) this.#lanes.delete(id);
    }
  }
}

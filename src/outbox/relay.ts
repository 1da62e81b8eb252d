import type { Log } from '../common/logger.js';
import type { Database } from '../database/database.js';
import type { EventJob, EventQueues } from '../queues/event-queues.js';
import type { RedisLink } from '../queues/redis-link.js';
import { NudgedLoop } from './nudged-loop.js';

export type RelayTimes = {
  /** How long an event whose wake-up was lost waits at most. */
  readonly sweepMs: number;
  /** How far back events are added again when Redis may have lost jobs. */
  readonly refillMinutes: number;
};
export const relayTimes: RelayTimes = { sweepMs: 2_000, refillMinutes: 15 };

/** Events per round: at about 4 kB each, 2 MB in one pipeline. */
const BATCH = 500;
const GAP_MS = 50;

/**
 * Carries committed events to the event queues. PostgreSQL knows which ones are still to go; with several workers a
 * row lock gives each event to one of them.
 */
export class Relay {
  readonly #loop: NudgedLoop;
  #told: string | undefined;

  constructor(
    private readonly database: Database,
    private readonly link: RedisLink,
    private readonly queues: EventQueues,
    private readonly log: Log,
    private readonly times: RelayTimes = relayTimes,
  ) {
    this.#loop = new NudgedLoop(() => this.#round(), times.sweepMs, GAP_MS);
  }

  start(): void {
    this.#loop.start();
    this.link.onReady(() => this.#loop.nudge());
  }

  nudge(): void {
    this.#loop.nudge();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #round(): Promise<boolean> {
    if (this.link.state.status !== 'ready' || this.database.state.status !== 'ready') return false;
    try {
      const { mayHaveLostJobs } = await this.queues.inspect();
      if (mayHaveLostJobs) await this.#refill();
      const relayed = await this.#relay();
      this.#told = undefined;
      return relayed === BATCH;
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      // Once per failure, not every two seconds.
      if (words !== this.#told) this.log.warn({ scope: 'relay', error }, 'events not relayed, trying again');
      this.#told = words;
      throw error;
    }
  }

  #relay(): Promise<number> {
    return this.database.source.transaction(async (manager) => {
      const events: (EventJob & { tenantId: string })[] = await manager.query(
        `select tenant_id as "tenantId", id, type, document from call_event where relayed_at is null
         order by created_at, sequence limit ${BATCH} for update skip locked`,
      );
      if (events.length === 0) return 0;
      await this.queues.add(events);
      // If this commit fails, the events are added again: their job ids make it harmless.
      await manager.query(
        `update call_event e set relayed_at = now()
         from unnest($1::uuid[], $2::uuid[]) as done (tenant_id, id)
         where e.tenant_id = done.tenant_id and e.id = done.id`,
        [events.map(({ tenantId }) => tenantId), events.map(({ id }) => id)],
      );
      return events.length;
    });
  }

  /** Adds the newest events again. What a queue still keeps is passed over; a consumer may see the others twice. */
  async #refill(): Promise<void> {
    let after: { readonly at: string; readonly id: string } | undefined;
    let added = 0;
    for (;;) {
      const events: (EventJob & { at: string })[] = await this.database.source.query(
        `select id, type, document, created_at::text as at from call_event
         where relayed_at is not null and created_at >= now() - make_interval(mins => $1)
           and ($2::text is null or (created_at, id) > ($2::timestamptz, $3::uuid))
         order by created_at, id limit ${BATCH}`,
        [this.times.refillMinutes, after?.at ?? null, after?.id ?? null],
      );
      await this.queues.add(events);
      added += events.length;
      after = events.at(-1);
      if (events.length < BATCH) break;
    }
    await this.queues.markComplete();
    if (added > 0) this.log.warn({ scope: 'relay', events: added }, 'Redis is new or was emptied: events added again');
  }
}

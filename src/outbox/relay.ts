import type { Log } from '../common/logger.js';
import type { Database } from '../database/database.js';
import { runPrepared } from '../database/prepared.js';
import type { EventJob, EventQueues } from '../queues/event-queues.js';
import type { RedisLink } from '../queues/redis-link.js';
import { NudgedLoop } from './nudged-loop.js';
import { replayStep } from './replay-queue.js';

export type RelayTimes = {
  /** How long an event whose wake-up was lost waits at most. */
  readonly sweepMs: number;
  /** How far back events are added again when Redis may have lost jobs. */
  readonly refillMinutes: number;
};
export const relayTimes: RelayTimes = { sweepMs: 2_000, refillMinutes: 15 };

/** Events per round: at about 4 kB each, 2 MB in one pipeline. */
const BATCH = 500;
const GAP_MS = 100;

type RelayedEvent = EventJob & { readonly tenantId: string };

/** Marks events, and reads those that are still to go. Its parts see the same state, so what is marked is left out by name. */
const relayStatement = {
  name: 'relay',
  text: `
with taken as (
  select * from unnest($1::uuid[], $2::uuid[]) as t (tenant_id, id)
), marked as (
  update call_event e set relayed_at = now() from taken where e.tenant_id = taken.tenant_id and e.id = taken.id
)
select tenant_id as "tenantId", id, type, document from call_event
 where relayed_at is null and not (id = any($2::uuid[]))
 order by created_at, sequence limit $3`,
};

/** Carries committed events to the event queues. PostgreSQL knows which ones are still to go. */
export class Relay {
  readonly #loop: NudgedLoop;
  /** What the queues took and PostgreSQL does not know yet. */
  #taken: readonly RelayedEvent[] = [];
  /** A replay of a queue goes on. Whether there is a new one is asked with each sweep. */
  #isReplaying = false;
  #told: string | undefined;

  constructor(
    private readonly database: Database,
    private readonly link: RedisLink,
    private readonly queues: EventQueues,
    private readonly log: Log,
    private readonly times: RelayTimes = relayTimes,
  ) {
    this.#loop = new NudgedLoop((swept) => this.#round(swept), times.sweepMs, GAP_MS);
  }

  start(): void {
    this.#loop.start();
    this.link.onReady(() => this.#loop.nudge());
  }

  nudge(): void {
    this.#loop.nudge();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    // What is not marked now is added once more by the next process.
    if (this.#taken.length > 0) await this.#next(0).catch(() => undefined);
  }

  async #round(swept: boolean): Promise<boolean> {
    this.database.assertReady();
    if (this.link.state.status !== 'ready') return false;
    try {
      const { mayHaveLostJobs } = await this.queues.inspect();
      if (mayHaveLostJobs) await this.#refill();
      const relayed = await this.#relay();
      if (swept || this.#isReplaying) this.#isReplaying = await replayStep(this.database, this.queues);
      this.#told = undefined;
      return relayed > 0 || this.#isReplaying;
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      // Once per failure, not every two seconds.
      if (words !== this.#told) this.log.warn({ scope: 'relay', error }, 'events not relayed, trying again');
      this.#told = words;
      throw error;
    }
  }

  async #relay(): Promise<number> {
    const events = await this.#next(BATCH);
    this.#taken = [];
    await this.queues.add(events);
    this.#taken = events;
    return events.length;
  }

  /**
   * Marks what the queues took in the last round, and reads what is still to go. A process that ends in between adds it again:
   * job ids make that harmless, as they do where two workers carry the same event.
   */
  #next(limit: number): Promise<RelayedEvent[]> {
    const taken = this.#taken;
    return runPrepared(this.database.source, relayStatement, [
      taken.map(({ tenantId }) => tenantId),
      taken.map(({ id }) => id),
      limit,
    ]);
  }

  /** Adds the newest events again. What a queue still keeps is passed over; a consumer may see the others twice. */
  async #refill(): Promise<void> {
    // Not marked yet, so they are not found below: they go with the next round.
    this.#taken = [];
    let after: { readonly at: string; readonly id: string } | undefined;
    let added = 0;
    for (;;) {
      const events: (EventJob & { at: string })[] = await this.database.source.query(
        `select id, type, document, created_at::text as at from call_event
         where relayed_at is not null and call_id is not null and created_at >= now() - make_interval(mins => $1)
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

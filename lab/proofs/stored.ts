import { Redis } from 'ioredis';

import { createDataSource } from '../../src/database/data-source.js';
import { CALL_EVENTS, QUEUE_PREFIX } from '../../src/queues/queues.js';

export type Stored = {
  /** Ids of all events. */
  readonly events: readonly string[];
  /** Ids of events that are still to be delivered. */
  readonly waiting: ReadonlySet<string>;
  /** Ids of the jobs that wait in the published queue. */
  readonly queued: ReadonlySet<string>;
  /**
   * Of the calls that ended between two moments, ms since 1970: how long after the second the last event of any of them
   * was written, ms. Zero where none was.
   */
  readonly lastNewsOf: (from: number, until: number) => number;
};

/** What PostgreSQL and Redis hold when all is over. */
export async function readStore(databaseUrl: string, redisUrl: string): Promise<Stored> {
  const source = createDataSource(databaseUrl);
  await source.initialize();
  const redis = new Redis(redisUrl);
  try {
    const rows: { id: string; at: Date; ended: Date | null }[] = await source.query(
      `select e.id, e.created_at as at, c.ended_at as ended
         from call_event e join call c on c.tenant_id = e.tenant_id and c.id = e.call_id`,
    );
    const waiting: { id: string }[] = await source.query(
      `select event_id as id from delivery where status = 'pending'`,
    );
    const queued = await redis.lrange(`${QUEUE_PREFIX}:${CALL_EVENTS}:wait`, 0, -1);
    return {
      events: rows.map(({ id }) => id),
      waiting: new Set(waiting.map(({ id }) => id)),
      queued: new Set(queued),
      lastNewsOf: (from, until) => {
        const ended = rows.filter(({ ended: at }) => at !== null && at.getTime() > from && at.getTime() < until);
        return Math.max(0, ...ended.map(({ at }) => at.getTime() - until));
      },
    };
  } finally {
    redis.disconnect();
    await source.destroy();
  }
}

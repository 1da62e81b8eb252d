import type { EntityManager } from 'typeorm';
import type { Database } from '../database/database.js';
import type { EventJob, EventQueues } from '../queues/event-queues.js';
import type { QueueReplay } from './queue-replay.entity.js';

/** Events of one step, which is a transaction and a pipeline of Redis. */
const BATCH = 250;

/** The oldest that no other process works at. */
const nextSql = `
select id, queue, from_at as "fromAt", to_at as "toAt", position_at::text as "positionAt", position_id as "positionId"
from queue_replay where finished_at is null order by id limit 1 for update skip locked`;

const eventsSql = `
select id, type, document, created_at::text as at from call_event
where call_id is not null and created_at >= $1 and created_at < $2
  and ($3::timestamptz is null or (created_at, id) > ($3::timestamptz, $4::uuid))
order by created_at, id limit ${BATCH}`;

const advanceSql = `
update queue_replay set added = added + $2, position_at = coalesce($3, position_at), position_id = coalesce($4, position_id),
  finished_at = case when $5 then now() end
where id = $1`;

type Next = Pick<QueueReplay, 'id' | 'queue' | 'fromAt' | 'toAt' | 'positionId'> & {
  readonly positionAt: string | null;
};

/**
 * Adds the next events of a replay to its queue.
 * @returns whether more can be done now
 * @throws when Redis or PostgreSQL cannot be used; the step is then done again, under the same job ids.
 */
export function replayStep({ source }: Database, queues: EventQueues): Promise<boolean> {
  return source.transaction(async (manager) => {
    const [next]: Next[] = await manager.query(nextSql);
    if (!next) return false;
    // A queue that is no longer filled has nobody to wait for.
    if (!queues.names.includes(next.queue)) return finish(manager, next.id);
    const range = [next.fromAt, next.toAt, next.positionAt, next.positionId];
    const events: (EventJob & { readonly at: string })[] = await manager.query(eventsSql, range);
    if (!(await queues.addAgain(next.queue, events))) return false;
    const last = events.at(-1);
    const isLast = events.length < BATCH;
    await manager.query(advanceSql, [next.id, events.length, last?.at ?? null, last?.id ?? null, isLast]);
    return true;
  });
}

async function finish(manager: EntityManager, id: string): Promise<boolean> {
  await manager.query(advanceSql, [id, 0, null, null, true]);
  return true;
}

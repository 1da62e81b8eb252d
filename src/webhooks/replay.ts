import type { DataSource } from 'typeorm';
import { rowId } from '../outbox/outbox.js';
import type { ReplayRange } from './webhook-endpoint.schema.js';

/** Events that one statement looks at: it has to end long before statements are cut. */
const CHUNK = 5_000;
/** Of one request: so many events are looked at. */
const MOST = 100_000;
/** Ids follow the time their events were made at this closely, and by them events are found. */
const SLACK_MS = 3_600_000;
/** A request that goes on begins so much before the last event that was looked at: ids and times may differ by a little. */
const OVERLAP_MS = 1_000;

export type Replayed = {
  /** Deliveries that are due again, or for the first time. */
  readonly replayed: number;
  /** When not all was looked at: from where to go on. */
  readonly nextFrom: Date | null;
};

/**
 * Makes what was sent due again, under the same id, and what was not sent due for the first time; what is due anyway stays
 * as it is. The schedule begins anew.
 * $1 tenant, $2 endpoint, $3 lowest id, $4 highest id, $5 from, $6 to, $7 types or null, $8 call or null, $9 statuses
 */
const replaySql = `
with looked_at as (
  select id, call_id, sequence, type, created_at from call_event
  where tenant_id = $1 and id > $3 and id < $4 and call_id is not null
  order by id limit ${CHUNK}
), wanted as (
  select e.id, e.call_id, e.sequence from looked_at e
  left join delivery d on d.endpoint_id = $2 and d.call_id = e.call_id and d.sequence = e.sequence
  where e.created_at >= $5 and e.created_at < $6 and ($7::text[] is null or e.type = any($7))
    and ($8::uuid is null or e.call_id = $8) and coalesce(d.status, 'missed') = any($9::text[])
), replayed as (
  insert into delivery
    (tenant_id, id, endpoint_id, event_id, call_id, sequence, status, attempts, next_attempt_at, created_at, replays)
  select $1, ${rowId('w.id')}, $2, w.id, w.call_id, w.sequence, 'pending', 0, now(), now(), 1 from wanted w
  on conflict (endpoint_id, call_id, sequence) do update
  set status = 'pending', next_attempt_at = now(), finished_at = null, replays = delivery.replays + 1,
    attempts_before_replay = delivery.attempts
  where delivery.status <> 'pending'
  returning 1
)
select (select count(*) from replayed)::int as replayed, count(*)::int as "lookedAt",
  (select id from looked_at order by id desc limit 1) as "lastId", max(created_at) as "lastAt"
from looked_at`;

const replayOneSql = `
update delivery set status = 'pending', next_attempt_at = now(), finished_at = null, replays = replays + 1,
  attempts_before_replay = attempts
where tenant_id = $1 and endpoint_id = $2 and id = $3 and status <> 'pending' returning 1`;

/** @returns whether it is due again; false when there is no such delivery, or it waits anyway */
export async function replayOne(
  source: DataSource,
  tenantId: string,
  endpointId: string,
  deliveryId: string,
): Promise<boolean> {
  const [rows]: [unknown[], number] = await source.query(replayOneSql, [tenantId, endpointId, deliveryId]);
  return rows.length > 0;
}

export async function replayRange(
  source: DataSource,
  tenantId: string,
  endpointId: string,
  range: Omit<ReplayRange, 'eventTypes' | 'to'> & {
    readonly to: string;
    readonly eventTypes: readonly string[] | null;
  },
): Promise<Replayed> {
  const { from, to, eventTypes, callId = null, statuses } = range;
  const highest = lowestIdAt(Date.parse(to) + SLACK_MS);
  let after = lowestIdAt(Date.parse(from) - SLACK_MS);
  let replayed = 0;
  for (let lookedAt = 0; lookedAt < MOST;) {
    const [row]: { replayed: number; lookedAt: number; lastId: string | null; lastAt: Date | null }[] =
      await source.query(replaySql, [tenantId, endpointId, after, highest, from, to, eventTypes, callId, statuses]);
    replayed += row?.replayed ?? 0;
    lookedAt += row?.lookedAt ?? 0;
    if (!row?.lastId || !row.lastAt || row.lookedAt < CHUNK) return { replayed, nextFrom: null };
    after = row.lastId;
    if (lookedAt >= MOST) return { replayed, nextFrom: new Date(row.lastAt.getTime() - OVERLAP_MS) };
  }
  return { replayed, nextFrom: null };
}

/** The lowest UUIDv7 of a moment, ms since the epoch. */
function lowestIdAt(ms: number): string {
  const hex = Math.max(0, ms).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

import type { PlannerSettings } from '../database/prepared.js';

/**
 * After so many failures an event gives way to a later one of its call: each carries the whole call, and the end of a
 * call must not wait for its beginning.
 */
export const SUPERSEDE_AFTER_ATTEMPTS = 3;

/**
 * After so many tries in a row that nobody told the end of, a delivery may be one that ends its senders: it waits, as one does that
 * was refused. Mostly it is not, and was only held by who was stopped.
 */
export const MOST_LOST = 3;

const unclaimed = (row: string): string => `(${row}.claim_until is null or ${row}.claim_until <= now())`;

/** Of what is due for an endpoint so much is looked at; `crowded` says that there was more. */
const windowOf = (room: string): string => `${room} + 8`;
/** Of a crowd so many of its newest deliveries are looked at too. */
const newestOf = (room: string): string => `${room} / 2 + 4`;

/**
 * How it is planned. What is due changes faster than PostgreSQL's statistics: by these, or by none, a crowd looks like two
 * rows, and reading and sorting all of them for each call like nothing. It has to walk along the indexes.
 */
export const claimSettings: PlannerSettings = ['enable_seqscan', 'enable_bitmapscan', 'enable_sort'];

/**
 * One statement for all endpoints. Of each call and endpoint the lowest unfinished sequence (its head) may go, and with it
 * what is due right behind it, to be sent after it.
 * - `ready`: due heads with those behind them, as many as their endpoint and their tenant have room for; tenants in turns, and
 *   within a tenant its endpoints. Where a crowd is due, about every fourth is of one of the newest calls: what happens now
 *   does not wait until a backlog of hours is gone.
 * - `in_order`: of those that nobody else has locked, those with nothing unfinished before them that was not locked too.
 * - `stuck`: calls whose head failed often while later events wait: all but the newest are superseded, the newest is due
 *   at once and is found as a head by the next claim.
 * - `blocked`: due rows behind a head that waits for its retry: they wait with it, so that the index of what is due stays
 *   short however long an endpoint is dead. Where more is due than is looked at (`crowded`), rows that cannot go move
 *   behind their heads or out of the way for a moment: else a crowd of them would hide every head.
 * Every row is locked with `skip locked`: claims of several workers never wait for each other.
 *
 * $1 worker, $2 tenants or null, $3 endpoints and $4 their room, $5 room of others, $6 limit, $7 claim seconds,
 * $8 attempts after which a head gives way, $9 tenants and $10 their room, $11 room of others.
 */
export const claimSql = `
with endpoint as materialized (
  select e.tenant_id, e.id, e.url, e.failing_since is not null as is_failing, e.secret_sealed,
    case when e.previous_secret_until > now() then e.previous_secret_sealed end as previous_secret_sealed,
    coalesce(busy.room, $5::int) as room
  from webhook_endpoint e left join unnest($3::uuid[], $4::int[]) as busy (id, room) on busy.id = e.id
  where e.status = 'enabled' and ($2::uuid[] is null or e.tenant_id = any($2))
), oldest as materialized (
  select e.room, d.*
  from endpoint e
  cross join lateral (
    select first.*, count(*) over () >= ${windowOf('e.room')} as crowded from (
      select tenant_id, id, endpoint_id, call_id, sequence, next_attempt_at from delivery p
      where p.endpoint_id = e.id and p.status = 'pending' and p.next_attempt_at <= now() and ${unclaimed('p')}
      order by p.next_attempt_at limit ${windowOf('e.room')}
    ) first
  ) d
  where e.room > 0
), seen as (
  select *, false as is_new from oldest
  union all
  select c.room, n.*, true, true
  from (select distinct endpoint_id, room from oldest where crowded) c
  cross join lateral (
    select tenant_id, id, endpoint_id, call_id, sequence, next_attempt_at from delivery p
    where p.endpoint_id = c.endpoint_id and p.status = 'pending'
    order by p.id desc limit ${newestOf('c.room')}
  ) n
), numbered as (
  select *, row_number() over (partition by endpoint_id, call_id order by sequence) as number_in_call from seen
), due as materialized (
  select s.*, first_value(head.id) over by_call as head_id, first_value(head.sequence) over by_call as head_sequence,
    first_value(head.next_attempt_at) over by_call as head_next_attempt_at,
    first_value(head.is_free) over by_call as head_is_free, first_value(head.gives_way) over by_call as gives_way,
    first_value(head.id = s.id and head.is_free and not head.gives_way) over by_call as can_go
  from numbered s
  left join lateral (
    select h.id, h.sequence, h.next_attempt_at, ${unclaimed('h')} as is_free,
      h.attempts - h.attempts_before_replay >= $8 and exists (
        select from delivery l
        where l.endpoint_id = s.endpoint_id and l.call_id = s.call_id and l.sequence > h.sequence
          and l.status = 'pending') as gives_way
    from delivery h
    where s.number_in_call = 1 and h.endpoint_id = s.endpoint_id and h.call_id = s.call_id and h.status = 'pending'
    order by h.sequence limit 1
  ) head on true
  window by_call as (partition by s.endpoint_id, s.call_id order by s.number_in_call)
), candidate as (
  select tenant_id, endpoint_id, id, room, head_next_attempt_at as next_attempt_at,
    row_number() over (partition by endpoint_id order by head_next_attempt_at, head_id, sequence) * 4 / 3.0 as turn
  from due where not is_new and can_go and head_next_attempt_at <= now()
  union all
  select tenant_id, endpoint_id, head_id, room, head_next_attempt_at,
    (row_number() over (partition by endpoint_id order by id desc) - random()) * 4
  from (
    select distinct on (head_id) * from due
    where is_new and not gives_way and head_is_free and head_next_attempt_at <= now() order by head_id, id desc
  ) newest
), ready as (
  select tenant_id, id from (
    select placed.*, row_number() over (partition by tenant_id order by place, next_attempt_at) as tenant_place
    from (select *, row_number() over (partition by endpoint_id order by turn) as place from candidate) placed
    where place <= room
  ) picked
  left join unnest($9::uuid[], $10::int[]) as busy_tenant (busy_id, tenant_room) on busy_id = tenant_id
  where tenant_place <= coalesce(tenant_room, $11::int)
  order by tenant_place, next_attempt_at limit $6::int
), locked as materialized (
  select d.tenant_id, d.id, d.endpoint_id, d.call_id, d.sequence from delivery d
  where (d.tenant_id, d.id) in (select tenant_id, id from ready) and d.status = 'pending' and ${unclaimed('d')}
  for update skip locked
), in_order as (
  select l.tenant_id, l.id
  from (select *, row_number() over (partition by endpoint_id, call_id order by sequence) as number from locked) l
  where number = (
    select count(*) from delivery b
    where b.endpoint_id = l.endpoint_id and b.call_id = l.call_id and b.status = 'pending' and b.sequence <= l.sequence)
), claimed as (
  update delivery d
  set claimed_by = $1::uuid, claim_until = now() + make_interval(secs => $7), attempts = d.attempts + 1
  from in_order o where d.tenant_id = o.tenant_id and d.id = o.id
  returning d.tenant_id, d.id, d.endpoint_id, d.event_id, d.call_id, d.sequence, d.attempts, d.attempts_before_replay,
    d.replays, d.created_at
), stuck as materialized (
  select distinct due.tenant_id, due.endpoint_id, due.call_id, newest.sequence from due
  cross join lateral (
    select n.sequence from delivery n
    where n.endpoint_id = due.endpoint_id and n.call_id = due.call_id and n.status = 'pending'
    order by n.sequence desc limit 1
  ) newest
  where due.gives_way and due.head_is_free
), doomed as (
  select d.tenant_id, d.id from delivery d
  join stuck s on s.endpoint_id = d.endpoint_id and s.call_id = d.call_id and d.sequence < s.sequence
  where d.status = 'pending' and ${unclaimed('d')}
  for update of d skip locked
), superseded as (
  update delivery d set status = 'superseded', finished_at = now()
  from doomed where d.tenant_id = doomed.tenant_id and d.id = doomed.id
  returning d.tenant_id
), waiting_newest as (
  select d.tenant_id, d.id from delivery d
  join stuck s on s.endpoint_id = d.endpoint_id and s.call_id = d.call_id and s.sequence = d.sequence
  where d.status = 'pending' and d.next_attempt_at > now()
  for update of d skip locked
), freed as (
  update delivery d set next_attempt_at = now()
  from waiting_newest n where d.tenant_id = n.tenant_id and d.id = n.id
), blocked as (
  select d.tenant_id, d.id, due.until from delivery d
  join (
    select tenant_id, id, next_attempt_at,
      case
        when head_is_free and (crowded or head_next_attempt_at > now())
          then head_next_attempt_at + (sequence - head_sequence) * interval '1 ms'
        when crowded then now() + interval '250 ms'
      end as until
    from due
    where id <> head_id and not gives_way and not is_new and not (can_go and head_next_attempt_at <= now())
  ) due on due.tenant_id = d.tenant_id and due.id = d.id and due.until > due.next_attempt_at
  where d.status = 'pending'
  for update of d skip locked
), postponed as (
  update delivery d set next_attempt_at = b.until
  from blocked b where d.tenant_id = b.tenant_id and d.id = b.id
  returning d.tenant_id
)
select c.tenant_id as "tenantId", c.id, c.endpoint_id as "endpointId", c.event_id as "eventId",
  c.call_id as "callId", c.sequence, e.url,
  e.secret_sealed as "secretSealed", e.previous_secret_sealed as "previousSecretSealed", v.document, c.attempts as attempt,
  c.attempts - c.attempts_before_replay as turn, e.is_failing as "wasFailing",
  case when c.attempts <= ${MOST_LOST} then 0 else c.attempts - 1 - coalesce((
    select max(a.number) from attempt a where a.tenant_id = c.tenant_id and a.delivery_id = c.id), 0) end as lost, c.replays > 0 as "isReplay",
  (extract(epoch from clock_timestamp() - c.created_at) * 1000)::float8 as "ageMs",
  case when row_number() over () = 1 then (select array_agg(tenant_id) from superseded) end as superseded,
  case when row_number() over () = 1 then (select array_agg(distinct tenant_id) from postponed) end as postponed
from (values (1)) as always_one
left join (claimed c
  join endpoint e on e.id = c.endpoint_id
  join call_event v on v.tenant_id = c.tenant_id and v.id = c.event_id) on true`;

/** How it is planned: as few rows of many, though a table that is still small looks cheaper to read as a whole, twice. */
export const completeSettings: PlannerSettings = [
  'enable_seqscan',
  'enable_bitmapscan',
  'enable_hashjoin',
  'enable_mergejoin',
];

/**
 * $1 tenant, $2 delivery, $3 number, $4 started, $5 ms, $6 status, $7 error, $8 excerpt, $9 result, $10 ms to the next try.
 * `attempts` is the fence: who claimed a delivery later has raised it.
 */
export const completeSql = `
with done as (
  select * from unnest($1::uuid[], $2::uuid[], $3::int[], $4::timestamptz[], $5::int[], $6::int[], $7::text[], $8::text[],
    $9::text[], $10::float8[])
    as t (tenant_id, delivery_id, number, started_at, duration_ms, status, error, excerpt, result, retry_in_ms)
), stored as (
  insert into attempt (tenant_id, delivery_id, number, started_at, duration_ms, status, error, response_excerpt)
  select tenant_id, delivery_id, number, started_at, duration_ms, status, error, excerpt from done t
  where exists (select from delivery d where d.tenant_id = t.tenant_id and d.id = t.delivery_id)
  on conflict do nothing
)
update delivery d
set status = t.result, claimed_by = null, claim_until = null,
  next_attempt_at = coalesce(now() + t.retry_in_ms * interval '1 ms', d.next_attempt_at),
  finished_at = case when t.result = 'pending' then null else now() end
from done t
where d.tenant_id = t.tenant_id and d.id = t.delivery_id and d.status = 'pending' and d.attempts = t.number`;

export const giveBackSql = `
update delivery d set claimed_by = null, claim_until = null, attempts = d.attempts - 1
from unnest($1::uuid[], $2::uuid[], $3::int[]) as t (tenant_id, id, attempt)
where d.tenant_id = t.tenant_id and d.id = t.id and d.status = 'pending' and d.attempts = t.attempt`;

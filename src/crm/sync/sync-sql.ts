/** Rows up to this priority are of calls that go on or have just ended; the others can wait. */
const LAST_LIVE = 2;

const dueSql = (which: string, room: string): string => `
    (select s.*, row_number() over (order by s.priority, s.next_attempt_at) as place from (
      select tenant_id, connection_id, call_id, priority, next_attempt_at from crm_sync
      where connection_id = c.id and tenant_id = c.tenant_id and state = 'due' and ${which} and next_attempt_at <= now()
        and (claim_until is null or claim_until <= now())
      order by priority, next_attempt_at limit ${room}
    ) s)`;

export const tenantsSql = `select distinct tenant_id as id from crm_connection where status = 'enabled'`;

/**
 * $1 tenants that were nudged, or null; $2 connections that are busy, $3 and $4 their room for live calls and for others, $5 and
 * $6 the room of those that are not; $7 busy tenants, $8 their room, $9 that of others; $10 limit, $11 seconds of a claim. In
 * turns: each tenant's first, then each tenant's second, and within a tenant each connection's first before any second.
 */
export const claimSql = `
with candidate as (
  select d.* from crm_connection c
  left join unnest($2::uuid[], $3::int[], $4::int[]) as busy (busy_id, live, late) on busy_id = c.id
  cross join lateral (
    ${dueSql(`priority <= ${LAST_LIVE}`, 'coalesce(busy.live, $5::int)')}
    union all
    ${dueSql(`priority > ${LAST_LIVE}`, 'coalesce(busy.late, $6::int)')}
  ) d
  where c.status = 'enabled' and ($1::uuid[] is null or c.tenant_id = any($1::uuid[]))
), ready as (
  select tenant_id, connection_id, call_id from (
    select *, row_number() over (partition by tenant_id order by place, priority, next_attempt_at) as tenant_place
    from candidate
  ) placed
  left join unnest($7::uuid[], $8::int[]) as busy_tenant (busy_id, tenant_room) on busy_id = tenant_id
  where tenant_place <= coalesce(tenant_room, $9::int)
  order by tenant_place, priority, next_attempt_at limit $10::int
), locked as (
  select s.tenant_id, s.connection_id, s.call_id from crm_sync s
  join ready r on r.tenant_id = s.tenant_id and r.connection_id = s.connection_id and r.call_id = s.call_id
  where s.state = 'due' and (s.claim_until is null or s.claim_until <= now())
  for update of s skip locked
)
update crm_sync s set claimed_by = gen_random_uuid(), claim_until = now() + make_interval(secs => $11::float8)
from locked l where s.tenant_id = l.tenant_id and s.connection_id = l.connection_id and s.call_id = l.call_id
returning s.tenant_id as "tenantId", s.connection_id as "connectionId", s.call_id as "callId", s.claimed_by as id,
  s.priority > ${LAST_LIVE} as "isLate"`;

/** $1 to $4 the keys of claims, $5 seconds. In one order, as others lock more than one row too. */
export const renewSql = `
with held as (
  select s.tenant_id, s.connection_id, s.call_id from crm_sync s
  join unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]) as c (tenant_id, connection_id, call_id, id)
    on (s.tenant_id, s.connection_id, s.call_id, s.claimed_by) = (c.tenant_id, c.connection_id, c.call_id, c.id)
  order by s.tenant_id, s.connection_id, s.call_id
  for update of s skip locked
)
update crm_sync s set claim_until = now() + make_interval(secs => $5::float8)
from held h where (s.tenant_id, s.connection_id, s.call_id) = (h.tenant_id, h.connection_id, h.call_id)`;

/** What every statement about a claimed row begins with. */
const mine = 'tenant_id = $1 and connection_id = $2 and call_id = $3 and claimed_by = $4';

/** All that decides over the next step, as of now. */
export const loadSql = `
select s.wanted, s.links, s.priority, s.attempts, s.next_attempt_at as "nextAttemptAt",
  c.document as call, t.region, k.id, k.adapter, k.settings, k.secrets_sealed as "secretsSealed", k.rules, k.status,
  k.refusals, k.users_listed_at as "usersListedAt", k.updated_at as "updatedAt",
  c.direction = 'inbound' and c.remote_e164 is not null and c.document->>'answeredAt' is null and exists (
    select 1 from call a
    where a.tenant_id = c.tenant_id and a.remote_e164 = c.remote_e164 and a.started_at > c.started_at
      and a.document->>'answeredAt' is not null
  ) as "isCalledBack",
  case when p.id is not null
    then jsonb_build_object('type', p.type, 'id', p.id, 'kind', p.kind, 'name', p.name, 'ownerId', p.owner_id)
  end as picked
from crm_sync s
join crm_connection k on k.tenant_id = s.tenant_id and k.id = s.connection_id
join tenant t on t.id = s.tenant_id
left join call c on c.tenant_id = s.tenant_id and c.id = s.call_id
left join (
  select a.call_id, b.* from contact_pick a
  join contact b on (b.tenant_id, b.connection_id, b.type, b.id) = (a.tenant_id, a.connection_id, a.type, a.id)
) p on p.tenant_id = s.tenant_id and p.connection_id = s.connection_id and p.call_id = s.call_id
where s.tenant_id = $1 and s.connection_id = $2 and s.call_id = $3 and s.claimed_by = $4`;

/** $5 links, $6 seconds of the claim from now on, $7 whether a step was done: then failures are over. */
export const keepSql = `
update crm_sync set links = $5, claim_until = now() + make_interval(secs => $6::float8), updated_at = now(),
  attempts = case when $7 then 0 else attempts end, failing_since = case when $7 then null else failing_since end
where ${mine} returning 1`;

/** $1 connection, $2 number: of its calls one at a time makes something of the caller. */
export const lockNumberSql = `select pg_advisory_xact_lock(hashtextextended('crm-create ' || $1 || ' ' || $2, 0))`;

/** $4 number, $5 kind, $6 days: what another call of the number made, or is about to make, the made one first. */
export const madeForNumberSql = `
select s.links->'created' as created from call c
join crm_sync s on s.tenant_id = c.tenant_id and s.call_id = c.id and s.connection_id = $2
where c.tenant_id = $1 and c.remote_e164 = $4 and c.id <> $3 and c.started_at > now() - make_interval(days => $6::int)
  and (s.links->'created'->>'kind' = $5 or (s.links->>'begun' = 'createObject' and s.state = 'due'))
order by s.links->'created' is null, c.started_at desc limit 1`;

/** $5 the version that the CRM has, $6 when it was due as of then: what became due meanwhile stays so. */
export const finishSql = `
update crm_sync set has = $5, state = case when wanted <= $5 and next_attempt_at = $6 then 'done' else 'due' end,
  attempts = 0, failing_since = null, failed_step = null, failure = null, claimed_by = null, claim_until = null,
  updated_at = now()
where ${mine} returning state`;

/**
 * $5 ms to wait, $6 whether it counts as a failure, $7 step, $8 why, $9 links or null as they are, $10 days after which it is given up. What
 * failed gives way to what happens now, until it changes. */
export const laterSql = `
update crm_sync set priority = case when $6 then greatest(priority, ${LAST_LIVE + 1}) else priority end, links = coalesce($9::jsonb, links), next_attempt_at = now() + $5 * interval '1 ms',
  attempts = attempts + case when $6 then 1 else 0 end,
  failing_since = case when not $6 then failing_since when attempts = 0 then now() else coalesce(failing_since, now()) end,
  state = case when $6 and attempts > 0 and failing_since < now() - make_interval(days => $10::int) then 'failed' else 'due' end,
  failed_step = $7, failure = $8, claimed_by = null, claim_until = null, updated_at = now()
where ${mine} returning state`;

/** $5 step, $6 why, $7 links, $8 the version that was looked at: a newer one is tried at once. */
export const failSql = `
update crm_sync set state = case when wanted > $8 then 'due' else 'failed' end, links = $7, failed_step = $5, failure = $6,
  attempts = attempts + 1, claimed_by = null, claim_until = null, updated_at = now()
where ${mine} returning state`;

export const giveBackSql = `update crm_sync set claimed_by = null, claim_until = null where ${mine}`;

/** The call itself is gone, and with it what a sync could be about. */
export const forgetSql = `delete from crm_sync where ${mine}`;

/** $3 number, $4 when a call with it began that was answered: whoever waits for a call-back of an earlier one looks again. */
export const wakeTasksSql = `
update crm_sync s set state = 'due', next_attempt_at = now(), updated_at = now()
from call c
where s.tenant_id = $1 and s.connection_id = $2 and (s.links->'task'->>'isClosed') = 'false'
  and c.tenant_id = s.tenant_id and c.id = s.call_id and c.remote_e164 = $3 and c.started_at < $4
  and c.document->>'answeredAt' is null
returning 1`;

/** $3 times in a row, $4 seconds that they took. */
export const refusedSql = `
with counted as (
  update crm_connection set refusals = refusals + 1, refused_since = coalesce(refused_since, now())
  where tenant_id = $1 and id = $2 and status = 'enabled'
  returning tenant_id, id, refusals >= $3 and refused_since <= now() - make_interval(secs => $4::float8) as "isOver"
)
select "isOver" from counted`;

/** $3 why. */
export const disableSql = `
with disabled as (
  update crm_connection set status = 'disabled', status_reason = $3, refusals = 0, refused_since = null, updated_at = now()
  where tenant_id = $1 and id = $2 and status = 'enabled' returning 1
) select * from disabled`;

export const acceptedSql = `
update crm_connection set refusals = 0, refused_since = null where tenant_id = $1 and id = $2 and refusals > 0`;

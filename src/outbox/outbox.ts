/** An event as it is stored: `document` is the text that is signed, sent and queued. */
export type OutboxEvent = {
  readonly tenantId: string;
  readonly id: string;
  /** Null for what is told about a webhook endpoint. */
  readonly callId: string | null;
  readonly type: string;
  readonly sequence: number;
  readonly createdAt: Date;
  readonly document: string;
  /** The endpoint it is about: it is not told of itself. */
  readonly aboutEndpointId?: string;
};

/**
 * A UUIDv7 of the present moment; PostgreSQL makes its own only from version 18 on. The row's number follows the time,
 * so that deliveries of one commit list in the order of their events.
 * @param order by which rows of one statement are numbered
 */
export const rowId = (order: string): string => `encode(overlay(uuid_send(gen_random_uuid()) placing int8send(
  ((extract(epoch from statement_timestamp()) * 1000)::bigint << 16) | x'7000'::bigint
    | ((row_number() over (order by ${order})) & x'0fff'::bigint)) from 1 for 8), 'hex')::uuid`;

/**
 * Stores events and one delivery for each endpoint that wants them: parts of a `with`, so that they go in one statement
 * with the change they tell of: both are there or neither. Its one parameter, `$n`, is that of `eventsParameter`.
 * Due times are by the database's clock, as claims are. A paused or disabled endpoint gets no row: it does not pile up
 * what nobody waits for. Events about endpoints go to those that name their type, and to no queue. Of a CRM connection only
 * the call is noted, whatever its status: it is told what the call has become by then.
 */
export function eventParts(n: number): string {
  return `
event as (
  select * from json_to_recordset($${n}::json)
    as e ("tenantId" uuid, id uuid, "callId" uuid, type text, sequence int, "createdAt" timestamptz, document text,
      "aboutEndpointId" uuid)
), stored_events as (
  insert into call_event (tenant_id, id, call_id, type, sequence, created_at, document, relayed_at)
  select "tenantId", id, "callId", type, sequence, "createdAt", document, case when "callId" is null then now() end from event
), stored_deliveries as (
  insert into delivery
    (tenant_id, id, endpoint_id, event_id, call_id, sequence, status, attempts, next_attempt_at, created_at)
  select e."tenantId", ${rowId('e."callId", e.sequence')}, w.id, e.id, coalesce(e."callId", e.id), e.sequence, 'pending', 0, now(), now()
  from event e
  join webhook_endpoint w on w.tenant_id = e."tenantId"
    and w.status = 'enabled' and w.id is distinct from e."aboutEndpointId"
    and (e.type = any(w.event_types) or (w.event_types = '{}' and e."callId" is not null))
  order by e."callId", e.sequence
), stored_crm as (
  insert into crm_sync (tenant_id, connection_id, call_id, state, wanted, priority, next_attempt_at)
  select e."tenantId", c.id, e."callId", 'due', max(e.sequence),
    case when bool_or(e.type = 'call.ended') then 2 when bool_or(e.type in ('call.started', 'call.ringing')) then 0
      when bool_and(e.type = 'call.recording.ready') then 3 else 1 end, now()
  from event e
  join crm_connection c on c.tenant_id = e."tenantId"
  where e."callId" is not null
  group by e."tenantId", c.id, e."callId"
  on conflict (tenant_id, connection_id, call_id) do update
  set state = 'due', wanted = greatest(crm_sync.wanted, excluded.wanted),
    priority = case when crm_sync.state = 'due' then least(crm_sync.priority, excluded.priority) else excluded.priority end,
    attempts = 0, next_attempt_at = excluded.next_attempt_at, updated_at = now()
)`;
}

/** One text for all events: quoting is cheaper in it than in an array of PostgreSQL's for each column. */
export function eventsParameter(events: readonly OutboxEvent[]): string {
  return JSON.stringify(events);
}

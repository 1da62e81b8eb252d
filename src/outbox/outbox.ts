/** An event as it is stored: `document` is the text that is signed, sent and queued. */
export type OutboxEvent = {
  readonly tenantId: string;
  readonly id: string;
  readonly callId: string;
  readonly type: string;
  readonly sequence: number;
  readonly createdAt: Date;
  readonly document: string;
};

/** What `writeEvents` needs of a database: TypeORM's query runner fits. */
export type SqlRunner = { query(sql: string, parameters: unknown[]): Promise<unknown> };

/**
 * A UUIDv7 of the present moment; PostgreSQL makes its own only from version 18 on. The row's number follows the time,
 * so that deliveries of one commit list in the order of their events.
 */
const uuidv7 = `encode(overlay(uuid_send(gen_random_uuid()) placing int8send(
  ((extract(epoch from statement_timestamp()) * 1000)::bigint << 16) | x'7000'::bigint
    | ((row_number() over (order by e.call_id, e.sequence)) & x'0fff'::bigint)) from 1 for 8), 'hex')::uuid`;

/**
 * Stores events and one delivery for each endpoint that wants them: parts of a `with`, so that they go in one statement
 * with the change they tell of: both are there or neither. Its parameters are those of `eventValues`, from `$first` on.
 * Due times are by the database's clock, as claims are. A paused or disabled endpoint gets no row: it does not pile up
 * what nobody waits for.
 */
export function eventParts(first: number): string {
  const p = (i: number): string => `$${first + i}`;
  return `
event as (
  select * from unnest(${p(0)}::uuid[], ${p(1)}::uuid[], ${p(2)}::uuid[], ${p(3)}::text[], ${p(4)}::int[], ${p(5)}::timestamptz[], ${p(6)}::text[])
    as e (tenant_id, id, call_id, type, sequence, created_at, document)
), stored_events as (
  insert into call_event (tenant_id, id, call_id, type, sequence, created_at, document)
  select tenant_id, id, call_id, type, sequence, created_at, document from event
), stored_deliveries as (
  insert into delivery
    (tenant_id, id, endpoint_id, event_id, call_id, sequence, status, attempts, next_attempt_at, created_at)
  select e.tenant_id, ${uuidv7}, w.id, e.id, e.call_id, e.sequence, 'pending', 0, now(), now()
  from event e
  join webhook_endpoint w on w.tenant_id = e.tenant_id
    and w.status = 'enabled' and (w.event_types = '{}' or e.type = any(w.event_types))
  order by e.call_id, e.sequence
)`;
}

export function eventValues(events: readonly OutboxEvent[]): unknown[] {
  return [
    events.map(({ tenantId }) => tenantId),
    events.map(({ id }) => id),
    events.map(({ callId }) => callId),
    events.map(({ type }) => type),
    events.map(({ sequence }) => sequence),
    events.map(({ createdAt }) => createdAt),
    events.map(({ document }) => document),
  ];
}

const writeEventsSql = `with ${eventParts(1)} select`;

/** Stores events alone; the calls' rows must have been written before. */
export async function writeEvents(db: SqlRunner, events: readonly OutboxEvent[]): Promise<void> {
  if (events.length > 0) await db.query(writeEventsSql, eventValues(events));
}

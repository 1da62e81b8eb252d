import type { CallEventType } from '../src/calls/domain/call-event.js';
import { rowId } from '../src/outbox/outbox.js';
import type { EventWriter } from './event-writer.js';

/** Events of each call of a backlog. */
const TYPES: readonly CallEventType[] = ['call.started', 'call.ringing', 'call.answered', 'call.ended'];
/** Calls that one statement makes; it is cut after five seconds. */
const CHUNK = 5_000;

/** $1 tenant, $2 node, $3 endpoint, $4 calls, $5 types, $6 document, $7 ms ago that the first is due */
const backlogSql = `
with calls as (
  insert into call (tenant_id, id, pbx_node_id, boot, direction, status, agent_ids, started_at, version, document)
  select $1, ${rowId('n')}, $2, 'boot', 'inbound', 'ended', '{}', now(), cardinality($5::text[]), '{}'
  from generate_series(1, $4::int) n
  returning tenant_id, id
), events as (
  insert into call_event (tenant_id, id, call_id, type, sequence, created_at, document, relayed_at)
  select c.tenant_id, ${rowId('c.id, t.sequence')}, c.id, t.type, t.sequence, now() - interval '1 hour', $6, now()
  from calls c cross join unnest($5::text[]) with ordinality as t (type, sequence)
  returning tenant_id, id, call_id, sequence
)
insert into delivery (tenant_id, id, endpoint_id, event_id, call_id, sequence, next_attempt_at, created_at)
select e.tenant_id, ${rowId('e.call_id, e.sequence')}, $3, e.id, e.call_id, e.sequence,
  now() - ($7::int - row_number() over (order by e.call_id, e.sequence)) * interval '1 ms', now()
from events e`;

/**
 * Due deliveries of one endpoint, about as many as asked for; the eldest is due longest. Their events are an hour old, so that
 * an empty Redis is not filled with them.
 */
export async function addBacklog(
  writer: EventWriter,
  { tenantId, id }: { readonly tenantId: string; readonly id: string },
  deliveries: number,
  document = '{}',
): Promise<void> {
  for (let left = Math.ceil(deliveries / TYPES.length); left > 0; left -= CHUNK) {
    const calls = Math.min(CHUNK, left);
    const ago = left * TYPES.length;
    await writer.source.query(backlogSql, [tenantId, writer.nodeId, id, calls, TYPES, document, ago]);
  }
}

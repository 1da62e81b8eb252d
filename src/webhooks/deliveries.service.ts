import { Injectable } from '@nestjs/common';
import { Problem } from '../common/problems.js';
import { Database } from '../database/database.js';
import { toPage, type IdPageQuery, type Page } from '../http/paging.js';
import type { Actor } from '../tenancy/actor.js';
import type { Delivery } from './delivery.entity.js';
import { WebhookEndpoint } from './webhook-endpoint.entity.js';
import type { DeliveryView } from './webhook-endpoint.schema.js';

type DeliveryRow = Pick<Delivery, 'id' | 'eventId' | 'status' | 'createdAt' | 'nextAttemptAt' | 'finishedAt'> &
  Pick<DeliveryView, 'eventType' | 'callId' | 'sequence' | 'attempts'>;

const sql = `
select d.id, d.event_id as "eventId", v.type as "eventType", v.call_id as "callId",
  case when v.call_id is not null then v.sequence end as sequence, d.status,
  d.created_at as "createdAt", d.next_attempt_at as "nextAttemptAt", d.finished_at as "finishedAt",
  coalesce(tries.list, '[]') as attempts
from (
  select * from delivery
  where tenant_id = $1 and endpoint_id = $2 and ($3::uuid is null or id < $3) order by id desc limit $4
) d
join call_event v on v.tenant_id = d.tenant_id and v.id = d.event_id
left join lateral (
  select json_agg(json_build_object('number', a.number,
    'startedAt', to_char(a.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'durationMs', a.duration_ms,
    'status', a.status, 'error', a.error, 'responseExcerpt', a.response_excerpt) order by a.number) as list
  from attempt a where a.tenant_id = d.tenant_id and a.delivery_id = d.id
) tries on true
order by d.id desc`;

/** What was sent to an endpoint and what came of it. */
@Injectable()
export class DeliveriesService {
  constructor(private readonly database: Database) {}

  /** Newest first: ids rise with the time they were made. */
  async list({ tenantId }: Actor, endpointId: string, { limit, cursor }: IdPageQuery): Promise<Page<DeliveryView>> {
    const { manager } = this.database.source;
    if (!(await manager.existsBy(WebhookEndpoint, { tenantId, id: endpointId }))) {
      throw new Problem('not-found', { detail: 'There is no such webhook endpoint.', field: 'id' });
    }
    const rows: DeliveryRow[] = await manager.query(sql, [tenantId, endpointId, cursor ?? null, limit + 1]);
    return toPage(rows, limit, ({ id }) => id, viewOf);
  }
}

function viewOf({ createdAt, nextAttemptAt, finishedAt, ...rest }: DeliveryRow): DeliveryView {
  return {
    ...rest,
    createdAt: createdAt.toISOString(),
    nextAttemptAt: rest.status === 'pending' ? nextAttemptAt.toISOString() : null,
    finishedAt: finishedAt?.toISOString() ?? null,
  };
}

import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Problem } from '../common/problems.js';
import { Database } from '../database/database.js';
import { toPage, type Page } from '../http/paging.js';
import { OutboxWakeUp } from '../outbox/outbox-wake-up.js';
import type { Actor } from '../tenancy/actor.js';
import { AuditLog } from '../tenancy/audit-log.js';
import { Delivery } from './delivery.entity.js';
import { findEndpoint } from './find-endpoint.js';
import type { WebhookEndpoint } from './webhook-endpoint.entity.js';
import { replayOne, replayRange } from './replay.js';
import type {
  DeliveryView,
  ListDeliveriesQuery,
  Replay,
  ReplayRange,
  ReplayedView,
} from './webhook-endpoint.schema.js';

type DeliveryRow = Pick<
  Delivery,
  'id' | 'eventId' | 'status' | 'replays' | 'createdAt' | 'nextAttemptAt' | 'finishedAt'
> &
  Pick<DeliveryView, 'eventType' | 'callId' | 'sequence' | 'attempts'>;

/** @param conditions of `d`, a delivery, and `v`, its event; the first four parameters are tenant, endpoint, cursor, limit */
const listSql = (conditions: readonly string[]): string => `
select d.id, d.event_id as "eventId", d.type as "eventType", d.event_call_id as "callId",
  case when d.event_call_id is not null then d.sequence end as sequence, d.status, d.replays,
  d.created_at as "createdAt", d.next_attempt_at as "nextAttemptAt", d.finished_at as "finishedAt",
  coalesce(tries.list, '[]') as attempts
from (
  select d.*, v.type, v.call_id as event_call_id from delivery d
  join call_event v on v.tenant_id = d.tenant_id and v.id = d.event_id
  where ${['d.tenant_id = $1', 'd.endpoint_id = $2', '($3::uuid is null or d.id < $3)', ...conditions].join(' and ')}
  order by d.id desc limit $4
) d
left join lateral (
  select json_agg(json_build_object('number', a.number,
    'startedAt', to_char(a.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'durationMs', a.duration_ms,
    'status', a.status, 'error', a.error, 'responseExcerpt', a.response_excerpt) order by a.number) as list
  from attempt a where a.tenant_id = d.tenant_id and a.delivery_id = d.id
) tries on true
order by d.id desc`;

/** What each filter of the list asks of a row; `$` stands for its value. */
const filterSql = {
  eventType: 'v.type = $',
  eventId: 'd.event_id = $',
  callId: 'v.call_id = $',
  from: 'd.created_at >= $',
  to: 'd.created_at < $',
} as const;

/** What was sent to an endpoint and what came of it. */
@Injectable()
export class DeliveriesService {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly wakeUp: OutboxWakeUp,
    private readonly clock: Clock,
  ) {}

  /** Newest first: ids rise with the time they were made. */
  async list({ tenantId }: Actor, endpointId: string, query: ListDeliveriesQuery): Promise<Page<DeliveryView>> {
    const { manager } = this.database.source;
    await findEndpoint(manager, tenantId, endpointId);
    const { limit, cursor, status, ...filters } = query;
    // Written out, one word of a closed list: the index of the dead is found by it.
    const conditions: string[] = status === undefined ? [] : [`d.status = '${status}'`];
    const values: unknown[] = [tenantId, endpointId, cursor ?? null, limit + 1];
    for (const [name, condition] of Object.entries(filterSql)) {
      const value = filters[name as keyof typeof filterSql];
      if (value === undefined) continue;
      values.push(value);
      conditions.push(condition.replace('$', `$${values.length}`));
    }
    const rows: DeliveryRow[] = await manager.query(listSql(conditions), values);
    return toPage(rows, limit, ({ id }) => id, viewOf);
  }

  /**
   * Sends again, under the same ids, and what was missed for the first time. A paused or disabled endpoint gets it when it
   * is enabled.
   * @throws {Problem} `not-found`, `conflict`
   */
  async replay(actor: Actor, endpointId: string, replay: Replay): Promise<ReplayedView> {
    const { tenantId } = actor;
    const { source } = this.database;
    const endpoint = await findEndpoint(source.manager, tenantId, endpointId);
    const replayed =
      'deliveryId' in replay
        ? await this.#replayOne(tenantId, endpointId, replay.deliveryId)
        : await this.#replayRange(endpoint, replay);
    await this.audit.record(source.manager, {
      tenantId,
      actorKeyId: actor.keyId,
      action: 'webhook-endpoint.replayed',
      targetType: 'webhook-endpoint',
      targetId: endpointId,
      detail: { ...replay, replayed: replayed.replayed },
    });
    this.wakeUp.wakeEverywhere(new Set([tenantId]));
    return replayed;
  }

  async #replayOne(tenantId: string, endpointId: string, id: string): Promise<ReplayedView> {
    const { source } = this.database;
    if (await replayOne(source, tenantId, endpointId, id)) return { replayed: 1, nextFrom: null };
    if (await source.manager.existsBy(Delivery, { tenantId, endpointId, id })) {
      throw new Problem('conflict', { detail: 'This delivery is still being tried.', field: 'deliveryId' });
    }
    throw new Problem('not-found', { detail: 'There is no such delivery.', field: 'deliveryId' });
  }

  async #replayRange({ tenantId, id, eventTypes }: WebhookEndpoint, range: ReplayRange): Promise<ReplayedView> {
    const { replayed, nextFrom } = await replayRange(this.database.source, tenantId, id, {
      ...range,
      to: range.to ?? new Date(this.clock.now()).toISOString(),
      eventTypes: range.eventTypes ?? (eventTypes.length === 0 ? null : eventTypes),
    });
    return { replayed, nextFrom: nextFrom?.toISOString() ?? null };
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

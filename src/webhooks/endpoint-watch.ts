import type { DataSource, EntityManager } from 'typeorm';
import type { Clock } from '../common/clock.js';
import { newId } from '../common/ids.js';
import type { Log } from '../common/logger.js';
import { eventParts, eventsParameter } from '../outbox/outbox.js';
import { endpointEvent, type EndpointEventType } from './endpoint-event.js';
import type { WebhookEndpoint } from './webhook-endpoint.entity.js';
import { GONE } from './webhook-request.js';

export type WatchLimits = {
  /** `endpoint.failing` is told when so many tries failed, over so long, and none was taken between. */
  readonly tellAfterTries: number;
  readonly tellAfterMs: number;
  /** An endpoint that took nothing for so long is disabled. */
  readonly disableAfterMs: number;
  /** A failure so long after the last one begins anew: between them nothing was tried, so nothing can be said. */
  readonly forgetAfterMs: number;
};

const HOUR_MS = 3_600_000;
export const watchLimits: WatchLimits = {
  tellAfterTries: 4,
  tellAfterMs: 120_000,
  disableAfterMs: 120 * HOUR_MS,
  // Longer than the longest pause of the default schedule with its jitter.
  forgetAfterMs: 36 * HOUR_MS,
};

/** What one try says about its endpoint. */
export type Sign = {
  readonly tenantId: string;
  readonly endpointId: string;
  readonly wasTaken: boolean;
  /** It answered that it will never take anything again. */
  readonly isGone: boolean;
  /** Whether it counted as failing when the delivery was claimed. */
  readonly wasFailing: boolean;
};

type Tally = { tenantId: string; endpointId: string; failures: number; wasTaken: boolean; isGone: boolean };
type FailingRow = {
  readonly tenantId: string;
  readonly id: string;
  readonly failures: number;
  readonly told: boolean;
  readonly ms: number;
};

/** $1 tenants, $2 endpoints, $3 failures, $4 taken, $5 ms after which a failure begins anew. */
const noteSql = `
update webhook_endpoint e set
  failing_since = case when t.taken then null when t.anew then now() else e.failing_since end,
  failed_at = case when t.taken then null else now() end,
  failures = case when t.taken then 0 when t.anew then t.failures else e.failures + t.failures end,
  failing_told = not t.taken and not t.anew and e.failing_told
from (
  select t.*, w.failed_at is null or w.failed_at < now() - $5 * interval '1 ms' as anew
  from unnest($1::uuid[], $2::uuid[], $3::int[], $4::boolean[]) as t (tenant_id, id, failures, taken)
  join webhook_endpoint w on w.tenant_id = t.tenant_id and w.id = t.id
) t
where e.tenant_id = t.tenant_id and e.id = t.id
returning e.tenant_id as "tenantId", e.id, e.failures, e.failing_told as told,
  (extract(epoch from now() - e.failing_since) * 1000)::float8 as ms`;

const endpointColumns = `id, tenant_id as "tenantId", url, description, status, status_reason as "statusReason",
  failing_since as "failingSince"`;

/** Sees from tries how endpoints are: tells of those that fail, and disables those that are gone. */
export class EndpointWatch {
  constructor(
    private readonly source: DataSource,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly limits: WatchLimits = watchLimits,
  ) {}

  /**
   * Costs nothing where all went well and had before.
   * @returns tenants that have events about endpoints to be sent now
   */
  async note(signs: readonly Sign[]): Promise<readonly string[]> {
    const telling: string[] = [];
    const tallies = tally(signs);
    for (const { tenantId, endpointId, isGone } of tallies) {
      if (isGone && (await this.#disable(tenantId, endpointId, GONE))) telling.push(tenantId);
    }
    for (const { tenantId, id, failures, told, ms } of await this.#store(tallies.filter(({ isGone }) => !isGone))) {
      if (failures < this.limits.tellAfterTries) continue;
      if (ms >= this.limits.disableAfterMs) {
        const reason = `It took nothing for ${Math.floor(ms / HOUR_MS)} hours.`;
        if (await this.#disable(tenantId, id, reason)) telling.push(tenantId);
      } else if (!told && ms >= this.limits.tellAfterMs && (await this.#tellFailing(tenantId, id))) {
        telling.push(tenantId);
      }
    }
    return telling;
  }

  /** @returns those that are failing */
  async #store(tallies: readonly Tally[]): Promise<readonly FailingRow[]> {
    if (tallies.length === 0) return [];
    const [rows]: [FailingRow[], number] = await this.source.query(noteSql, [
      tallies.map(({ tenantId }) => tenantId),
      tallies.map(({ endpointId }) => endpointId),
      tallies.map(({ failures }) => failures),
      tallies.map(({ wasTaken }) => wasTaken),
      this.limits.forgetAfterMs,
    ]);
    return rows.filter(({ failures }) => failures > 0);
  }

  /** @returns whether it was this process that disabled it */
  async #disable(tenantId: string, endpointId: string, reason: string): Promise<boolean> {
    return this.source.transaction(async (manager) => {
      const [[endpoint]]: [WebhookEndpoint[], number] = await manager.query(
        `update webhook_endpoint set status = 'disabled', status_reason = $3, updated_at = now()
         where tenant_id = $1 and id = $2 and status <> 'disabled' returning ${endpointColumns}`,
        [tenantId, endpointId, reason],
      );
      if (!endpoint) return false;
      await manager.query(
        `insert into audit_entry (id, tenant_id, at, actor_key_id, action, target_type, target_id, detail)
         values ($1, $2, now(), null, 'webhook-endpoint.disabled', 'webhook-endpoint', $3, $4)`,
        [newId(), tenantId, endpointId, { reason }],
      );
      await this.#tell(manager, 'endpoint.disabled', endpoint);
      this.log.warn({ scope: 'webhooks', endpointId, reason }, 'webhook endpoint disabled');
      return true;
    });
  }

  /** @returns whether it was this process that told it */
  async #tellFailing(tenantId: string, endpointId: string): Promise<boolean> {
    return this.source.transaction(async (manager) => {
      const [[endpoint]]: [WebhookEndpoint[], number] = await manager.query(
        `update webhook_endpoint set failing_told = true
         where tenant_id = $1 and id = $2 and failing_since is not null and not failing_told returning ${endpointColumns}`,
        [tenantId, endpointId],
      );
      if (!endpoint) return false;
      await this.#tell(manager, 'endpoint.failing', endpoint);
      this.log.warn({ scope: 'webhooks', endpointId }, 'webhook endpoint is failing');
      return true;
    });
  }

  /** To the tenant's other endpoints that ask for it. In the transaction of what it tells: neither is there alone. */
  async #tell(manager: EntityManager, type: EndpointEventType, endpoint: WebhookEndpoint): Promise<void> {
    const { tenantId } = endpoint;
    const [id, at] = [newId(), this.clock.now()];
    const document = JSON.stringify(endpointEvent(type, { id, at }, endpoint));
    const event = { tenantId, id, callId: null, type, sequence: 1, createdAt: new Date(at), document };
    await manager.query(`with ${eventParts(1)} select`, [
      eventsParameter([{ ...event, aboutEndpointId: endpoint.id }]),
    ]);
  }
}

/** By endpoint. One that took something is well, whatever else failed beside it. */
function tally(signs: readonly Sign[]): Tally[] {
  const tallies = new Map<string, Tally>();
  for (const { tenantId, endpointId, wasTaken, isGone, wasFailing } of signs) {
    if (wasTaken && !wasFailing && !tallies.has(endpointId)) continue;
    const known = tallies.get(endpointId) ?? { tenantId, endpointId, failures: 0, wasTaken: false, isGone: false };
    known.failures += wasTaken ? 0 : 1;
    known.wasTaken ||= wasTaken;
    known.isGone ||= isGone;
    tallies.set(endpointId, known);
  }
  return [...tallies.values()];
}

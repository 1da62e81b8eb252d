import { Injectable } from '@nestjs/common';
import { Problem } from '../../common/problems.js';
import { Database } from '../../database/database.js';
import { toPage, type IdPageQuery, type Page } from '../../http/paging.js';
import { OutboxWakeUp } from '../../outbox/outbox-wake-up.js';
import type { Actor } from '../../tenancy/actor.js';
import { AuditLog } from '../../tenancy/audit-log.js';
import { findConnection } from '../connections/find-connection.js';
import type { CrmConnection } from '../connections/crm-connection.entity.js';
import type { CallCrmsView, CallCrmView, CrmBackfill, CrmBackfilled, CrmFailureView } from './call-crm.schema.js';
import type { CrmSync } from './crm-sync.entity.js';
import { linksInWords } from './links-in-words.js';

type Row = Pick<
  CrmSync,
  'connectionId' | 'state' | 'wanted' | 'has' | 'links' | 'failedStep' | 'failure' | 'attempts' | 'nextAttemptAt'
> & { readonly name: string } & Pick<CrmConnection, 'adapter' | 'status'>;

/** $1 tenant, $2 call, $3 connection or null for every one. */
const readSql = `
select s.connection_id as "connectionId", s.state, s.wanted, s.has, s.links, s.failed_step as "failedStep", s.failure,
  s.attempts, s.next_attempt_at as "nextAttemptAt", k.name, k.adapter, k.status
from crm_sync s join crm_connection k on k.tenant_id = s.tenant_id and k.id = s.connection_id
where s.tenant_id = $1 and s.call_id = $2 and ($3::uuid is null or s.connection_id = $3)
order by s.connection_id`;

/** $1 tenant, $2 connection, $3 call. What was made anew once may be so once more, since somebody asks for it. */
const retrySql = `
insert into crm_sync (tenant_id, connection_id, call_id, state, wanted, priority, next_attempt_at)
select $1, $2, c.id, 'due', c.version, 2, now() from call c where c.tenant_id = $1 and c.id = $3
on conflict (tenant_id, connection_id, call_id) do update
set state = 'due', wanted = greatest(crm_sync.wanted, excluded.wanted), priority = 2, attempts = 0, failing_since = null,
  next_attempt_at = now(), links = crm_sync.links - 'isRemade', updated_at = now()
returning 1`;

/** $1 tenant, $2 connection, $3 from, $4 to. What the CRM has, or is being told, stays as it is. */
const backfillSql = `
with due as (
  insert into crm_sync (tenant_id, connection_id, call_id, state, wanted, priority, next_attempt_at)
  select $1, $2, c.id, 'due', c.version, 4, now() from call c
  where c.tenant_id = $1 and c.started_at >= $3 and c.started_at < $4 and c.ended_at is not null
    and c.document->>'mergedInto' is null
  on conflict (tenant_id, connection_id, call_id) do update
  set state = 'due', wanted = excluded.wanted, priority = 4, attempts = 0, failing_since = null, next_attempt_at = now(),
    links = crm_sync.links - 'isRemade', updated_at = now()
  where crm_sync.state = 'failed' or (crm_sync.state = 'done' and crm_sync.has < excluded.wanted)
  returning 1
)
select count(*)::int as due from due`;

const failuresSql = `
select call_id as "callId", failed_step as "failedStep", failure, updated_at as "failedAt" from crm_sync
where tenant_id = $1 and connection_id = $2 and state = 'failed' and ($3::uuid is null or call_id < $3)
order by call_id desc limit $4`;

type FailureRow = Pick<CrmSync, 'callId' | 'failedStep' | 'failure'> & { readonly failedAt: Date };

/** What CRMs have of calls, and what they do not take. */
@Injectable()
export class CrmSyncsService {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly wakeUp: OutboxWakeUp,
  ) {}

  /** @throws {Problem} `not-found` */
  async ofCall({ tenantId }: Actor, callId: string): Promise<CallCrmsView> {
    const { source } = this.database;
    const rows: Row[] = await source.query(readSql, [tenantId, callId, null]);
    if (rows.length === 0) await this.#mustHaveCall(tenantId, callId);
    return { items: rows.map(viewOf) };
  }

  /**
   * Looks at a call again at once, and tells one that the connection has never been told of.
   * @throws {Problem} `not-found`
   */
  async retry(actor: Actor, callId: string, connectionId: string): Promise<CallCrmView> {
    const { tenantId, keyId } = actor;
    const row = await this.database.source.transaction(async (manager) => {
      await findConnection(manager, tenantId, connectionId);
      await this.#mustHaveCall(tenantId, callId);
      await manager.query(retrySql, [tenantId, connectionId, callId]);
      await this.audit.record(manager, {
        tenantId,
        actorKeyId: keyId,
        action: 'crm-connection.call-retried',
        targetType: 'crm-connection',
        targetId: connectionId,
        detail: { callId },
      });
      const [made]: Row[] = await manager.query(readSql, [tenantId, callId, connectionId]);
      return made;
    });
    if (row === undefined) throw new Problem('not-found', { detail: 'There is no such call.', field: 'id' });
    this.wakeUp.wakeEverywhere(new Set([tenantId]));
    return viewOf(row);
  }

  /** @throws {Problem} `not-found` */
  async backfill(actor: Actor, connectionId: string, { from, to }: CrmBackfill): Promise<CrmBackfilled> {
    const { tenantId, keyId } = actor;
    const due = await this.database.source.transaction(async (manager) => {
      await findConnection(manager, tenantId, connectionId);
      const [counted]: { due: number }[] = await manager.query(backfillSql, [tenantId, connectionId, from, to]);
      await this.audit.record(manager, {
        tenantId,
        actorKeyId: keyId,
        action: 'crm-connection.backfilled',
        targetType: 'crm-connection',
        targetId: connectionId,
        detail: { from, to, due: counted?.due },
      });
      return counted?.due ?? 0;
    });
    this.wakeUp.wakeEverywhere(new Set([tenantId]));
    return { due };
  }

  /** The newest calls first. @throws {Problem} `not-found` */
  async failures({ tenantId }: Actor, connectionId: string, query: IdPageQuery): Promise<Page<CrmFailureView>> {
    const { manager } = this.database.source;
    await findConnection(manager, tenantId, connectionId);
    const { cursor = null, limit } = query;
    const rows: FailureRow[] = await manager.query(failuresSql, [tenantId, connectionId, cursor, limit + 1]);
    return toPage(
      rows,
      limit,
      ({ callId }) => callId,
      ({ failedAt, ...rest }) => ({ ...rest, failedAt: failedAt.toISOString() }),
    );
  }

  async #mustHaveCall(tenantId: string, callId: string): Promise<void> {
    const found: unknown[] = await this.database.source.query('select 1 from call where tenant_id = $1 and id = $2', [
      tenantId,
      callId,
    ]);
    if (found.length === 0) throw new Problem('not-found', { detail: 'There is no such call.', field: 'id' });
  }
}

function viewOf({ name, status, links, nextAttemptAt, ...row }: Row): CallCrmView {
  const { contact, created, remoteId = null, recordings = [], task = null } = links;
  const { connectionId, adapter, state, wanted, has, failedStep, failure, attempts } = row;
  return {
    connectionId,
    connectionName: name,
    connectionStatus: status,
    adapter,
    state,
    wanted,
    has,
    remoteId,
    contact: contact == null ? null : { type: contact.type, id: contact.id, name: contact.name },
    created: created === undefined ? null : { type: created.type, id: created.id },
    recordings: [...recordings],
    task: task === null ? null : { id: task.id, isClosed: task.isClosed },
    words: [...linksInWords(links)],
    failedStep,
    failure,
    attempts,
    nextAttemptAt: state === 'due' ? nextAttemptAt.toISOString() : null,
  };
}

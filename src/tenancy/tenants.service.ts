import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { newId } from '../common/ids.js';
import { Problem } from '../common/problems.js';
import { Database } from '../database/database.js';
import { readPage } from '../database/read-page.js';
import type { IdPageQuery, Page } from '../http/paging.js';
import { applyPatch } from '../http/patch.js';
import type { PlatformActor } from './actor.js';
import { ApiKeyLookup } from './api-key-lookup.js';
import { AuditLog } from './audit-log.js';
import { Tenant } from './tenant.entity.js';
import { createTenantSchema, type CreateTenant, type TenantView, type UpdateTenant } from './tenant.schema.js';

/** What keeps a tenant from being removed, by table: removing it must never silently remove a call. */
const keptBy = {
  agent: 'It still has agents; remove them first.',
  line: 'It still has lines; remove them first.',
  webhook_endpoint: 'It still has webhook endpoints; remove them first.',
  call: 'It still has calls; they go when their retention ends.',
};

@Injectable()
export class TenantsService {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly lookup: ApiKeyLookup,
  ) {}

  list(query: IdPageQuery): Promise<Page<TenantView>> {
    return readPage(this.database.source.manager, Tenant, {}, query, viewOf);
  }

  async get(id: string): Promise<TenantView> {
    return viewOf(await find(this.database.source.manager, id));
  }

  create(actor: PlatformActor, tenant: CreateTenant): Promise<TenantView> {
    return this.database.source.transaction(async (manager) => {
      const id = newId();
      await manager.insert(Tenant, { ...tenant, id });
      await this.#record(manager, actor, 'tenant.created', id, { name: tenant.name });
      return viewOf(await find(manager, id));
    });
  }

  update(actor: PlatformActor, id: string, patch: UpdateTenant): Promise<TenantView> {
    return this.database.source.transaction(async (manager) => {
      const { name, region, dialRules, limits, retention } = await find(manager, id, 'pessimistic_write');
      await manager.update(
        Tenant,
        { id },
        applyPatch(createTenantSchema, { name, region, dialRules, limits, retention }, patch),
      );
      await this.#record(manager, actor, 'tenant.updated', id, { fields: Object.keys(patch) });
      return viewOf(await find(manager, id));
    });
  }

  async remove(actor: PlatformActor, id: string): Promise<void> {
    await this.database.source.transaction(async (manager) => {
      // The lock holds back whoever adds something to this tenant, until it is gone.
      await find(manager, id, 'pessimistic_write');
      for (const [table, detail] of Object.entries(keptBy)) {
        const rows: unknown[] = await manager.query(`select 1 from "${table}" where tenant_id = $1 limit 1`, [id]);
        if (rows.length > 0) throw new Problem('conflict', { detail });
      }
      const nodes: readonly { name: string }[] = await manager.query(
        'select name from pbx_node where $1 = any(tenant_ids) or default_tenant_id = $1 limit 1',
        [id],
      );
      if (nodes[0]) throw new Problem('conflict', { detail: `The PBX node ${nodes[0].name} still names it.` });
      await manager.delete(Tenant, { id });
      await this.#record(manager, actor, 'tenant.removed', id, {});
    });
    this.lookup.forgetAll();
  }

  #record(manager: EntityManager, actor: PlatformActor, action: string, id: string, detail: object): Promise<void> {
    return this.audit.record(manager, {
      tenantId: null,
      actorKeyId: actor.keyId,
      action,
      targetType: 'tenant',
      targetId: id,
      detail: { ...detail },
    });
  }
}

async function find(manager: EntityManager, id: string, lock?: 'pessimistic_write'): Promise<Tenant> {
  const tenant = await manager.findOne(Tenant, { where: { id }, ...(lock && { lock: { mode: lock } }) });
  if (!tenant) throw new Problem('not-found', { detail: 'There is no such tenant.', field: 'id' });
  return tenant;
}

function viewOf(tenant: Tenant): TenantView {
  const { id, name, region, dialRules, limits, retention, createdAt, updatedAt } = tenant;
  return {
    id,
    name,
    region,
    dialRules,
    limits,
    retention,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}

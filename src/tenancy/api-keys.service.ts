import { Injectable } from '@nestjs/common';
import { IsNull, type EntityManager } from 'typeorm';
import { Clock } from '../common/clock.js';
import { newId } from '../common/ids.js';
import { Problem } from '../common/problems.js';
import { Database } from '../database/database.js';
import { readPage } from '../database/read-page.js';
import type { Page } from '../http/paging.js';
import { PbxNode } from '../pbx-nodes/pbx-node.entity.js';
import type { PlatformActor } from './actor.js';
import { ApiKey } from './api-key.entity.js';
import { hashOfKey, newKeySecret } from './key-secret.js';
import { ApiKeyLookup } from './api-key-lookup.js';
import {
  scopeFault,
  type ApiKeyPageQuery,
  type ApiKeyView,
  type CreateApiKey,
  type CreatedApiKey,
  type UpdateApiKey,
} from './api-key.schema.js';
import { AuditLog } from './audit-log.js';
import { Tenant } from './tenant.entity.js';

/** Makes, changes and revokes keys. A revoked one is gone for the API; its row stays for the audit log to refer to. */
@Injectable()
export class ApiKeysService {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly lookup: ApiKeyLookup,
    private readonly clock: Clock,
  ) {}

  list({ tenantId, ...page }: ApiKeyPageQuery): Promise<Page<ApiKeyView>> {
    const where = { revokedAt: IsNull(), ...(tenantId !== undefined && { tenantId }) };
    return readPage(this.database.source.manager, ApiKey, where, page, viewOf);
  }

  async get(id: string): Promise<ApiKeyView> {
    return viewOf(await find(this.database.source.manager, id));
  }

  create(actor: PlatformActor, { name, scopes, tenantId, pbxNodeId }: CreateApiKey): Promise<CreatedApiKey> {
    return this.database.source.transaction(async (manager) => {
      if (tenantId !== null && !(await manager.existsBy(Tenant, { id: tenantId }))) {
        throw new Problem('not-found', { detail: 'There is no such tenant.', field: 'tenantId' });
      }
      if (pbxNodeId !== null && !(await manager.existsBy(PbxNode, { id: pbxNodeId }))) {
        throw new Problem('not-found', { detail: 'There is no such PBX node.', field: 'pbxNodeId' });
      }
      const id = newId();
      const secret = newKeySecret();
      const secretHash = hashOfKey(secret);
      await manager.insert(ApiKey, { id, tenantId, pbxNodeId, name, scopes, secretHash, revokedAt: null });
      const key = await find(manager, id);
      await this.#record(manager, actor, 'api-key.created', key, { name, scopes });
      return { ...viewOf(key), secret };
    });
  }

  async update(actor: PlatformActor, id: string, patch: UpdateApiKey): Promise<ApiKeyView> {
    const view = await this.database.source.transaction(async (manager) => {
      const key = await find(manager, id, 'pessimistic_write');
      const name = patch.name ?? key.name;
      const scopes = patch.scopes ?? key.scopes;
      const fault = scopeFault(scopes, key);
      if (fault !== undefined) {
        throw new Problem('invalid-request', {
          detail: `What a key belongs to stays: \`${fault.path[0]}\` ${fault.message}.`,
          field: 'scopes',
        });
      }
      await manager.update(ApiKey, { id }, { name, scopes });
      await this.#record(manager, actor, 'api-key.updated', key, { fields: Object.keys(patch), scopes });
      return viewOf(await find(manager, id));
    });
    this.lookup.forgetAll();
    return view;
  }

  async revoke(actor: PlatformActor, id: string): Promise<void> {
    await this.database.source.transaction(async (manager) => {
      const platformKeys = await lockPlatformKeys(manager);
      const key = await find(manager, id, 'pessimistic_write');
      if (key.scopes.includes('platform') && platformKeys < 2) {
        throw new Problem('conflict', { detail: 'It is the last platform key: without it nobody could make another.' });
      }
      await manager.update(ApiKey, { id }, { revokedAt: new Date(this.clock.now()) });
      await this.#record(manager, actor, 'api-key.revoked', key, { name: key.name });
    });
    this.lookup.forgetAll();
  }

  #record(manager: EntityManager, actor: PlatformActor, action: string, key: ApiKey, detail: object): Promise<void> {
    return this.audit.record(manager, {
      tenantId: key.tenantId,
      actorKeyId: actor.keyId,
      action,
      targetType: 'api-key',
      targetId: key.id,
      detail: { ...detail },
    });
  }
}

async function find(manager: EntityManager, id: string, lock?: 'pessimistic_write'): Promise<ApiKey> {
  const key = await manager.findOne(ApiKey, {
    where: { id, revokedAt: IsNull() },
    ...(lock && { lock: { mode: lock } }),
  });
  if (!key) throw new Problem('not-found', { detail: 'There is no such API key.', field: 'id' });
  return key;
}

/** Locked in one order, so that of two keys that are revoked at the same time neither counts on the other. */
async function lockPlatformKeys(manager: EntityManager): Promise<number> {
  const keys: unknown[] = await manager.query(
    `select id from api_key where 'platform' = any(scopes) and revoked_at is null order by id for update`,
  );
  return keys.length;
}

function viewOf({ id, name, scopes, tenantId, pbxNodeId, createdAt }: ApiKey): ApiKeyView {
  return { id, name, scopes, tenantId, pbxNodeId, createdAt: createdAt.toISOString() };
}

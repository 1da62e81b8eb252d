import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { newId } from '../common/ids.js';
import { Problem } from '../common/problems.js';
import { Database } from '../database/database.js';
import { readPage } from '../database/read-page.js';
import type { IdPageQuery, Page } from '../http/paging.js';
import { applyPatch } from '../http/patch.js';
import { ANONYMOUS } from '../numbers/number-pattern.js';
import type { Actor } from '../tenancy/actor.js';
import { AuditLog } from '../tenancy/audit-log.js';
import { BlockedNumber } from './blocked-number.entity.js';
import {
  createBlockedNumberSchema,
  type BlockedNumberView,
  type CreateBlockedNumber,
  type UpdateBlockedNumber,
} from './blocked-number.schema.js';

@Injectable()
export class BlockedNumbersService {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
  ) {}

  list({ tenantId }: Actor, query: IdPageQuery): Promise<Page<BlockedNumberView>> {
    return readPage(this.database.source.manager, BlockedNumber, { tenantId }, query, viewOf);
  }

  async get({ tenantId }: Actor, id: string): Promise<BlockedNumberView> {
    return viewOf(await find(this.database.source.manager, tenantId, id));
  }

  create(actor: Actor, blocked: CreateBlockedNumber): Promise<BlockedNumberView> {
    return this.database.source.transaction(async (manager) => {
      const { tenantId } = actor;
      const id = newId();
      await manager.insert(BlockedNumber, { ...blocked, tenantId, id });
      await this.#record(manager, actor, 'blocked-number.created', id, { blocks: whatItBlocks(blocked) });
      return viewOf(await find(manager, tenantId, id));
    });
  }

  update(actor: Actor, id: string, patch: UpdateBlockedNumber): Promise<BlockedNumberView> {
    return this.database.source.transaction(async (manager) => {
      const { tenantId } = actor;
      const { pattern, reason } = await find(manager, tenantId, id, 'pessimistic_write');
      const blocked = applyPatch(createBlockedNumberSchema, { pattern, reason }, patch);
      await manager.update(BlockedNumber, { tenantId, id }, blocked);
      await this.#record(manager, actor, 'blocked-number.updated', id, {
        blocks: whatItBlocks(blocked),
        fields: Object.keys(patch),
      });
      return viewOf(await find(manager, tenantId, id));
    });
  }

  async remove(actor: Actor, id: string): Promise<void> {
    await this.database.source.transaction(async (manager) => {
      const { tenantId } = actor;
      const blocked = await find(manager, tenantId, id, 'pessimistic_write');
      await manager.delete(BlockedNumber, { tenantId, id });
      await this.#record(manager, actor, 'blocked-number.removed', id, { blocks: whatItBlocks(blocked) });
    });
  }

  #record(
    manager: EntityManager,
    { tenantId, keyId }: Actor,
    action: string,
    id: string,
    detail: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    return this.audit.record(manager, {
      tenantId,
      actorKeyId: keyId,
      action,
      targetType: 'blocked-number',
      targetId: id,
      detail,
    });
  }
}

/** For the audit log, which holds no phone number in full. */
function whatItBlocks({ pattern }: Pick<BlockedNumber, 'pattern'>): string {
  return pattern === ANONYMOUS || pattern.endsWith('*') ? pattern : 'a number';
}

async function find(
  manager: EntityManager,
  tenantId: string,
  id: string,
  lock?: 'pessimistic_write',
): Promise<BlockedNumber> {
  const blocked = await manager.findOne(BlockedNumber, {
    where: { tenantId, id },
    ...(lock && { lock: { mode: lock } }),
  });
  if (!blocked) throw new Problem('not-found', { detail: 'There is no such blocked number.', field: 'id' });
  return blocked;
}

function viewOf({ id, pattern, reason, createdAt }: BlockedNumber): BlockedNumberView {
  return { id, pattern, reason, createdAt: createdAt.toISOString() };
}

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { assertAgentsOf } from '../agents/agent-access.js';
import { newId } from '../common/ids.js';
import { Problem } from '../common/problems.js';
import { Database } from '../database/database.js';
import { readPage } from '../database/read-page.js';
import type { IdPageQuery, Page } from '../http/paging.js';
import { applyPatch } from '../http/patch.js';
import { findInPlan } from '../numbers/numbering-plan.js';
import { assertNodeFor } from '../pbx-nodes/pbx-node-access.js';
import type { Actor } from '../tenancy/actor.js';
import { AuditLog } from '../tenancy/audit-log.js';
import { Line } from './line.entity.js';
import { createLineSchema, defaultDid, type CreateLine, type LineView, type UpdateLine } from './line.schema.js';

@Injectable()
export class LinesService {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
  ) {}

  list({ tenantId }: Actor, query: IdPageQuery): Promise<Page<LineView>> {
    return readPage(this.database.source.manager, Line, { tenantId }, query, viewOf);
  }

  async get({ tenantId }: Actor, id: string): Promise<LineView> {
    return viewOf(await find(this.database.source.manager, tenantId, id));
  }

  create(actor: Actor, line: CreateLine): Promise<LineView> {
    return this.database.source.transaction(async (manager) => {
      const { tenantId } = actor;
      await assertFits(manager, tenantId, line);
      const id = newId();
      await manager.insert(Line, { ...columnsOf(line), did: line.did ?? defaultDid(line.number), tenantId, id });
      await this.#record(manager, actor, 'line.created', id, { name: line.name });
      return viewOf(await find(manager, tenantId, id));
    });
  }

  update(actor: Actor, id: string, patch: UpdateLine): Promise<LineView> {
    return this.database.source.transaction(async (manager) => {
      const { tenantId } = actor;
      const stored = await find(manager, tenantId, id, 'pessimistic_write');
      const { pbxNodeId, number, did, name, target, outbound } = stored;
      const recording = { mode: stored.recordingMode };
      const line = applyPatch(createLineSchema, { pbxNodeId, number, did, name, target, outbound, recording }, patch);
      await assertFits(manager, tenantId, line);
      // A `did` that was never chosen follows the number.
      const follows = patch.did === undefined && did === defaultDid(number);
      await manager.update(
        Line,
        { tenantId, id },
        { ...columnsOf(line), did: follows ? defaultDid(line.number) : (line.did ?? did) },
      );
      await this.#record(manager, actor, 'line.updated', id, { fields: Object.keys(patch) });
      return viewOf(await find(manager, tenantId, id));
    });
  }

  async remove(actor: Actor, id: string): Promise<void> {
    await this.database.source.transaction(async (manager) => {
      const { tenantId } = actor;
      const { name } = await find(manager, tenantId, id, 'pessimistic_write');
      await manager.delete(Line, { tenantId, id });
      await this.#record(manager, actor, 'line.removed', id, { name });
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
      targetType: 'line',
      targetId: id,
      detail,
    });
  }
}

/** @throws {Problem} when the number cannot exist, or the node or an agent is not one of the tenant's */
async function assertFits(manager: EntityManager, tenantId: string, line: CreateLine): Promise<void> {
  // Only the length counts: ranges are opened faster than any list of them is updated.
  const number = findInPlan({ international: true, digits: line.number.slice(1) }, '');
  if (!number?.possible) {
    throw new Problem('invalid-request', {
      detail: '`number` is too short or too long for its country, or its country code does not exist.',
      field: 'number',
    });
  }
  await assertNodeFor(manager, tenantId, line.pbxNodeId, 'pbxNodeId');
  await assertAgentsOf(manager, tenantId, line.target.agentIds, 'target.agentIds');
}

async function find(manager: EntityManager, tenantId: string, id: string, lock?: 'pessimistic_write'): Promise<Line> {
  const line = await manager.findOne(Line, { where: { tenantId, id }, ...(lock && { lock: { mode: lock } }) });
  if (!line) throw new Problem('not-found', { detail: 'There is no such line.', field: 'id' });
  return line;
}

function columnsOf({ recording, ...line }: CreateLine) {
  return { ...line, recordingMode: recording.mode };
}

function viewOf(line: Line): LineView {
  const { id, pbxNodeId, number, did, name, target, outbound, createdAt, updatedAt } = line;
  return {
    id,
    pbxNodeId,
    number,
    did,
    name,
    target,
    outbound,
    recording: { mode: line.recordingMode },
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}

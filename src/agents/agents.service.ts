import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { newId } from '../common/ids.js';
import { Problem } from '../common/problems.js';
import { Database } from '../database/database.js';
import { readPage } from '../database/read-page.js';
import type { IdPageQuery, Page } from '../http/paging.js';
import { applyPatch } from '../http/patch.js';
import type { Actor } from '../tenancy/actor.js';
import { AuditLog } from '../tenancy/audit-log.js';
import { readDevices, replaceDevices } from './agent-devices.js';
import { Agent } from './agent.entity.js';
import {
  createAgentSchema,
  type AgentView,
  type CreateAgent,
  type DeviceView,
  type UpdateAgent,
} from './agent.schema.js';

@Injectable()
export class AgentsService {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
  ) {}

  async list({ tenantId }: Actor, query: IdPageQuery): Promise<Page<AgentView>> {
    const { manager } = this.database.source;
    const page = await readPage(manager, Agent, { tenantId }, query, (agent) => agent);
    const ids = page.items.map(({ id }) => id);
    const devices = await readDevices(manager, tenantId, ids);
    return { ...page, items: page.items.map((agent) => viewOf(agent, devices.get(agent.id) ?? [])) };
  }

  get({ tenantId }: Actor, id: string): Promise<AgentView> {
    return read(this.database.source.manager, tenantId, id);
  }

  create(actor: Actor, { devices, ...agent }: CreateAgent): Promise<AgentView> {
    return this.database.source.transaction(async (manager) => {
      const id = newId();
      await manager.insert(Agent, { ...agent, tenantId: actor.tenantId, id });
      await replaceDevices(manager, actor.tenantId, id, devices);
      await this.#record(manager, actor, 'agent.created', id, { name: agent.name });
      return read(manager, actor.tenantId, id);
    });
  }

  update(actor: Actor, id: string, patch: UpdateAgent): Promise<AgentView> {
    return this.database.source.transaction(async (manager) => {
      const { tenantId } = actor;
      await find(manager, tenantId, id, 'pessimistic_write');
      const { name, email, crmUsers, devices } = await read(manager, tenantId, id);
      const changed = applyPatch(createAgentSchema, { name, email, crmUsers, devices }, patch);
      await manager.update(
        Agent,
        { tenantId, id },
        { name: changed.name, email: changed.email, crmUsers: changed.crmUsers },
      );
      if (patch.devices !== undefined) await replaceDevices(manager, tenantId, id, changed.devices);
      await this.#record(manager, actor, 'agent.updated', id, { fields: Object.keys(patch) });
      return read(manager, tenantId, id);
    });
  }

  async remove(actor: Actor, id: string): Promise<void> {
    await this.database.source.transaction(async (manager) => {
      const { tenantId } = actor;
      // The lock holds back a line that is being pointed at this agent.
      const { name } = await find(manager, tenantId, id, 'pessimistic_write');
      const lines: readonly { name: string }[] = await manager.query(
        `select name from line where tenant_id = $1 and target -> 'agentIds' ? $2 limit 1`,
        [tenantId, id],
      );
      if (lines[0]) {
        throw new Problem('conflict', {
          detail: `The line ${lines[0].name} still rings this agent; change its target.`,
        });
      }
      await manager.delete(Agent, { tenantId, id });
      await this.#record(manager, actor, 'agent.removed', id, { name });
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
      targetType: 'agent',
      targetId: id,
      detail,
    });
  }
}

async function read(manager: EntityManager, tenantId: string, id: string): Promise<AgentView> {
  const agent = await find(manager, tenantId, id);
  const devices = await readDevices(manager, tenantId, [id]);
  return viewOf(agent, devices.get(id) ?? []);
}

async function find(manager: EntityManager, tenantId: string, id: string, lock?: 'pessimistic_write'): Promise<Agent> {
  const agent = await manager.findOne(Agent, { where: { tenantId, id }, ...(lock && { lock: { mode: lock } }) });
  if (!agent) throw new Problem('not-found', { detail: 'There is no such agent.', field: 'id' });
  return agent;
}

function viewOf({ id, name, email, crmUsers, createdAt, updatedAt }: Agent, devices: DeviceView[]): AgentView {
  return {
    id,
    name,
    email,
    devices,
    crmUsers,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}

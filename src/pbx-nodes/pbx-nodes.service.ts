import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { In, type EntityManager } from 'typeorm';
import { newId } from '../common/ids.js';
import { Problem } from '../common/problems.js';
import { SecretBox, type SecretPlace } from '../common/secret-box.js';
import { Database } from '../database/database.js';
import { readPage } from '../database/read-page.js';
import type { IdPageQuery, Page } from '../http/paging.js';
import { applyPatch } from '../http/patch.js';
import type { PlatformActor } from '../tenancy/actor.js';
import { AuditLog } from '../tenancy/audit-log.js';
import { Tenant } from '../tenancy/tenant.entity.js';
import { NodeHealthSource, notConnected, type NodeHealth } from './node-health.js';
import { PbxNode } from './pbx-node.entity.js';
import { createPbxNodeSchema, type CreatePbxNode, type PbxNodeView, type UpdatePbxNode } from './pbx-node.schema.js';

/** Where the password of a node's ARI user is stored; whoever connects opens it with this. */
export function passwordPlace(nodeId: string): SecretPlace {
  return { table: 'pbx_node', column: 'password_sealed', id: nodeId };
}

/** Told, with the node's id, in the transaction that adds, changes or removes a node. */
export const NODES_CHANGED_CHANNEL = 'ringline_nodes';

/** What keeps a node from being removed, by the table that refers to it. */
const keptBy = {
  device: 'Agents still have devices on it; remove them first.',
  line: 'It still has lines; remove them first.',
  call: 'It still has calls; they go when their retention ends.',
};

@Injectable()
export class PbxNodesService implements OnModuleInit {
  #health: NodeHealthSource | undefined;

  constructor(
    private readonly database: Database,
    private readonly secrets: SecretBox,
    private readonly audit: AuditLog,
    private readonly modules: ModuleRef,
  ) {}

  onModuleInit(): void {
    // Only a process that holds sessions has one.
    try {
      this.#health = this.modules.get(NodeHealthSource, { strict: false });
    } catch {
      this.#health = undefined;
    }
  }

  list(query: IdPageQuery): Promise<Page<PbxNodeView>> {
    return readPage(this.database.source.manager, PbxNode, {}, query, (node) => this.#viewOf(node));
  }

  async get(id: string): Promise<PbxNodeView> {
    return this.#viewOf(await find(this.database.source.manager, id));
  }

  /** @throws {Problem} `not-found` */
  async assertThere(id: string): Promise<void> {
    await find(this.database.source.manager, id);
  }

  async health(id: string): Promise<NodeHealth> {
    return this.#healthOf(await find(this.database.source.manager, id));
  }

  create(actor: PlatformActor, { password, ...node }: CreatePbxNode): Promise<PbxNodeView> {
    return this.database.source.transaction(async (manager) => {
      await assertTenants(manager, node);
      const id = newId();
      await manager.insert(PbxNode, { ...node, id, passwordSealed: this.secrets.seal(password, passwordPlace(id)) });
      await this.#tell(manager, actor, 'pbx-node.created', id, { name: node.name });
      return this.#viewOf(await find(manager, id));
    });
  }

  update(actor: PlatformActor, id: string, patch: UpdatePbxNode): Promise<PbxNodeView> {
    return this.database.source.transaction(async (manager) => {
      const stored = await find(manager, id, 'pessimistic_write');
      // The stored password is not opened: it is only replaced. The text stands in for the schema's sake.
      const current = { ...settingsOf(stored), password: '(unchanged)' };
      const { password, ...node } = applyPatch(createPbxNodeSchema, current, patch);
      await assertTenants(manager, node);
      await assertNobodyShutOut(manager, id, node.tenantIds);
      await manager.update(
        PbxNode,
        { id },
        {
          ...node,
          ...(patch.password !== undefined && { passwordSealed: this.secrets.seal(password, passwordPlace(id)) }),
        },
      );
      await this.#tell(manager, actor, 'pbx-node.updated', id, { fields: Object.keys(patch) });
      return this.#viewOf(await find(manager, id));
    });
  }

  async remove(actor: PlatformActor, id: string): Promise<void> {
    await this.database.source.transaction(async (manager) => {
      const { name } = await find(manager, id, 'pessimistic_write');
      for (const [table, detail] of Object.entries(keptBy)) {
        const rows: unknown[] = await manager.query(`select 1 from "${table}" where pbx_node_id = $1 limit 1`, [id]);
        if (rows.length > 0) throw new Problem('conflict', { detail });
      }
      await manager.delete(PbxNode, { id });
      await this.#tell(manager, actor, 'pbx-node.removed', id, { name });
    });
  }

  async #tell(
    manager: EntityManager,
    actor: PlatformActor,
    action: string,
    id: string,
    detail: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    await this.audit.record(manager, {
      tenantId: null,
      actorKeyId: actor.keyId,
      action,
      targetType: 'pbx-node',
      targetId: id,
      detail,
    });
    await manager.query('select pg_notify($1, $2)', [NODES_CHANGED_CHANNEL, id]);
  }

  #healthOf(node: PbxNode): NodeHealth {
    return this.#health?.healthOf(node.id) ?? notConnected(node.app);
  }

  #viewOf(node: PbxNode): PbxNodeView {
    return {
      id: node.id,
      ...settingsOf(node),
      health: this.#healthOf(node),
      createdAt: node.createdAt.toISOString(),
      updatedAt: node.updatedAt.toISOString(),
    };
  }
}

/** What an administrator sets and may read again. */
function settingsOf(node: PbxNode): Omit<CreatePbxNode, 'password'> {
  const { name, ariUrl, username, app, observe, tenantIds, defaultTenantId, celFile } = node;
  const { phoneTransfers, extensionContexts } = node;
  return {
    name,
    ariUrl,
    username,
    app,
    observe,
    tenantIds,
    defaultTenantId,
    celFile,
    phoneTransfers,
    extensionContexts,
  };
}

async function find(manager: EntityManager, id: string, lock?: 'pessimistic_write'): Promise<PbxNode> {
  const node = await manager.findOne(PbxNode, { where: { id }, ...(lock && { lock: { mode: lock } }) });
  if (!node) throw new Problem('not-found', { detail: 'There is no such PBX node.', field: 'id' });
  return node;
}

/** Locked against removal: no foreign key watches over ids in a list. */
async function assertTenants(
  manager: EntityManager,
  { tenantIds, defaultTenantId }: Pick<PbxNode, 'tenantIds' | 'defaultTenantId'>,
): Promise<void> {
  const wanted = [...new Set([...tenantIds, ...(defaultTenantId === null ? [] : [defaultTenantId])])];
  if (wanted.length === 0) return;
  const found = await manager.find(Tenant, { where: { id: In(wanted) }, lock: { mode: 'for_key_share' } });
  const known = new Set(found.map(({ id }) => id));
  const position = tenantIds.findIndex((id) => !known.has(id));
  if (position >= 0) {
    throw new Problem('not-found', { detail: 'There is no such tenant.', field: `tenantIds.${position}` });
  }
  if (defaultTenantId !== null && !known.has(defaultTenantId)) {
    throw new Problem('not-found', { detail: 'There is no such tenant.', field: 'defaultTenantId' });
  }
}

async function assertNobodyShutOut(manager: EntityManager, id: string, tenantIds: readonly string[]): Promise<void> {
  if (tenantIds.length === 0) return;
  const rows: readonly { tenant_id: string }[] = await manager.query(
    `select tenant_id from (
       select tenant_id, pbx_node_id from line union all select tenant_id, pbx_node_id from device
     ) used where pbx_node_id = $1 and tenant_id <> all($2::uuid[]) limit 1`,
    [id, tenantIds],
  );
  if (rows[0]) {
    throw new Problem('conflict', {
      detail: `Tenant ${rows[0].tenant_id} still has lines or devices on this node; remove them first.`,
      field: 'tenantIds',
    });
  }
}

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { newId } from '../../common/ids.js';
import { Problem } from '../../common/problems.js';
import { SecretBox } from '../../common/secret-box.js';
import { Config } from '../../config/config.js';
import { ContactSyncRow } from '../../contacts/contact-sync.entity.js';
import { Database } from '../../database/database.js';
import { readPage } from '../../database/read-page.js';
import { EgressRules } from '../../egress/egress-rules.js';
import { invalidRequest } from '../../http/invalid-request.js';
import { applyPatch } from '../../http/patch.js';
import type { IdPageQuery, Page } from '../../http/paging.js';
import type { Actor } from '../../tenancy/actor.js';
import { AuditLog } from '../../tenancy/audit-log.js';
import { CrmAdapters } from '../adapters/crm-adapters.js';
import { CrmClients } from '../client/crm-clients.js';
import type { CrmAdapter } from '../port/crm-adapter.js';
import { tellConnectionsChanged } from './connections-changed.js';
import { connectionRulesSchema, type ConnectionRules } from './connection-rules.js';
import { newDoor, openSecrets, part, secretsPlace } from './connection-secrets.js';
import { CrmConnection } from './crm-connection.entity.js';
import type {
  CreateCrmConnection,
  CreatedCrmConnection,
  CrmAdaptersView,
  CrmConnectionTest,
  CrmConnectionView,
  RotatedDoor,
  UpdateCrmConnection,
} from './crm-connection.schema.js';
import { CrmToken } from './crm-token.entity.js';
import { findConnection } from './find-connection.js';

type Settings = Readonly<Record<string, unknown>>;

@Injectable()
export class CrmConnectionsService {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly secretBox: SecretBox,
    private readonly egress: EgressRules,
    private readonly adapters: CrmAdapters,
    private readonly clients: CrmClients,
    private readonly config: Config,
  ) {}

  listAdapters(): CrmAdaptersView {
    return {
      items: this.adapters.list.map(({ name, title, settings, secrets }) => ({
        name,
        title,
        settings: z.toJSONSchema(settings, { io: 'input' }) as Record<string, unknown>,
        secrets: [...secrets],
      })),
    };
  }

  list({ tenantId }: Actor, query: IdPageQuery): Promise<Page<CrmConnectionView>> {
    const view = (row: CrmConnection): CrmConnectionView => this.#viewOf(row);
    return readPage(this.database.source.manager, CrmConnection, { tenantId }, query, view);
  }

  async get({ tenantId }: Actor, id: string): Promise<CrmConnectionView> {
    return this.#viewOf(await findConnection(this.database.source.manager, tenantId, id));
  }

  /** @throws {Problem} `invalid-request`, `unsafe-url` */
  create(actor: Actor, body: CreateCrmConnection): Promise<CreatedCrmConnection> {
    const { tenantId } = actor;
    const adapter = this.adapters.find(body.adapter);
    if (adapter === null) {
      const known = this.adapters.list.map(({ name }) => `\`${name}\``).join(', ');
      throw new Problem('invalid-request', {
        detail: `There is no such adapter; there are ${known}.`,
        field: 'adapter',
      });
    }
    const settings = this.#checked(adapter, body.settings, body.rules);
    return this.database.source.transaction(async (manager) => {
      const id = newId();
      const door = newDoor();
      const { name, rules, doorSources, status } = body;
      await manager.insert(CrmConnection, {
        tenantId,
        id,
        adapter: adapter.name,
        name,
        status,
        statusReason: null,
        ...this.#stored(adapter, tenantId, id, settings),
        doorHash: door.hash,
        doorSources,
        rules,
      });
      await manager.insert(CrmToken, { tenantId, connectionId: id, sealed: null });
      const row = await findConnection(manager, tenantId, id);
      await this.#record(manager, actor, 'crm-connection.created', row, {});
      await tellConnectionsChanged(manager);
      return { ...this.#viewOf(row), doorUrl: this.#doorUrl(id, door.random) };
    });
  }

  /** @throws {Problem} `invalid-request`, `unsafe-url` */
  async update(actor: Actor, id: string, patch: UpdateCrmConnection): Promise<CrmConnectionView> {
    const { tenantId } = actor;
    const view = await this.database.source.transaction(async (manager) => {
      const current = await findConnection(manager, tenantId, id, 'pessimistic_write');
      const adapter = this.adapters.get(current.adapter);
      const before = { ...current.settings, ...openSecrets(this.secretBox, current) };
      const rules =
        patch.rules === undefined ? current.rules : applyPatch(connectionRulesSchema, current.rules, patch.rules);
      const settings = this.#checked(adapter, { ...before, ...patch.settings }, rules);
      const status = patch.status ?? current.status;
      await manager.update(
        CrmConnection,
        { tenantId, id },
        {
          name: patch.name ?? current.name,
          ...this.#stored(adapter, tenantId, id, settings),
          rules,
          doorSources: patch.doorSources ?? current.doorSources,
          status,
          statusReason: patch.status === undefined ? current.statusReason : null,
        },
      );
      // A token that was given for other credentials is not theirs.
      if (patch.settings !== undefined) {
        await manager.update(CrmToken, { tenantId, connectionId: id }, { sealed: null });
        // It may be another account's contacts now: they are read from the beginning.
        await manager.delete(ContactSyncRow, { tenantId, connectionId: id });
      }
      const row = await findConnection(manager, tenantId, id);
      await this.#record(manager, actor, 'crm-connection.updated', row, { fields: Object.keys(patch) });
      await tellConnectionsChanged(manager);
      return this.#viewOf(row);
    });
    this.clients.forget(id);
    return view;
  }

  /** A new address of the door; the one before opens nothing any more. */
  rotateDoor(actor: Actor, id: string): Promise<RotatedDoor> {
    const { tenantId } = actor;
    return this.database.source.transaction(async (manager) => {
      const row = await findConnection(manager, tenantId, id, 'pessimistic_write');
      const door = newDoor();
      await manager.update(CrmConnection, { tenantId, id }, { doorHash: door.hash });
      await this.#record(manager, actor, 'crm-connection.door-rotated', row, {});
      return { doorUrl: this.#doorUrl(id, door.random) };
    });
  }

  async test({ tenantId }: Actor, id: string): Promise<CrmConnectionTest> {
    const row = await findConnection(this.database.source.manager, tenantId, id);
    const verdict = await this.clients.session(row, 'open').test();
    return verdict.verdict === 'done'
      ? { verdict: 'done', account: verdict.value, why: null }
      : { verdict: verdict.verdict, account: null, why: verdict.why };
  }

  /** Removes it with what is kept of it. What the CRM has stays there. */
  async remove(actor: Actor, id: string): Promise<void> {
    const { tenantId } = actor;
    await this.database.source.transaction(async (manager) => {
      const row = await findConnection(manager, tenantId, id, 'pessimistic_write');
      await manager.delete(CrmConnection, { tenantId, id });
      await this.#record(manager, actor, 'crm-connection.deleted', row, {});
    });
    this.clients.forget(id);
  }

  #checked(adapter: CrmAdapter, settings: Settings, rules: ConnectionRules): Settings {
    const read = adapter.settings.safeParse(settings);
    if (!read.success) {
      throw invalidRequest(read.error.issues.map((issue) => ({ ...issue, path: ['settings', ...issue.path] })));
    }
    const verdict = this.egress.check(adapter.baseUrl(read.data));
    if (verdict.kind === 'refused') throw new Problem('unsafe-url', { detail: verdict.reason, field: 'settings' });
    const { creates, tasks } = adapter.capabilities(read.data);
    for (const [i, { make }] of rules.unknownCallers.entries()) {
      const can = make === 'nothing' || (make === 'task' ? tasks : creates.includes(make));
      if (!can) {
        const detail = `${adapter.title} cannot make this of an unknown caller: ${make}.`;
        throw new Problem('invalid-request', { detail, field: `rules.unknownCallers.${i}.make` });
      }
    }
    if (rules.missedCalls.task !== 'none' && !tasks) {
      const detail = `${adapter.title} has no tasks that Ringline can make.`;
      throw new Problem('invalid-request', { detail, field: 'rules.missedCalls.task' });
    }
    return settings;
  }

  #stored(
    adapter: CrmAdapter,
    tenantId: string,
    id: string,
    settings: Settings,
  ): { settings: object; secretsSealed: string } {
    const { shown, secret } = part(adapter, settings);
    const secretsSealed = this.secretBox.seal(JSON.stringify(secret), secretsPlace(tenantId, id));
    return { settings: shown, secretsSealed };
  }

  #doorUrl(id: string, random: string): string {
    return `${this.config.http.publicUrl}/v1/hooks/${id}/${random}`;
  }

  #viewOf(row: CrmConnection): CrmConnectionView {
    const { id, adapter, name, settings, rules, doorSources, status, statusReason, createdAt, updatedAt } = row;
    return {
      id,
      adapter,
      name,
      settings: settings as Settings,
      secretsSet: Object.keys(openSecrets(this.secretBox, row)).toSorted(),
      rules,
      doorSources: [...doorSources],
      status,
      statusReason,
      createdAt: createdAt.toISOString(),
      updatedAt: updatedAt.toISOString(),
    };
  }

  #record(
    manager: EntityManager,
    { tenantId, keyId }: Actor,
    action: string,
    { id, adapter }: CrmConnection,
    detail: object,
  ): Promise<void> {
    return this.audit.record(manager, {
      tenantId,
      actorKeyId: keyId,
      action,
      targetType: 'crm-connection',
      targetId: id,
      detail: { adapter, ...detail },
    });
  }
}

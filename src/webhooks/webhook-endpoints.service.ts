import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { newId } from '../common/ids.js';
import { Problem } from '../common/problems.js';
import { Clock } from '../common/clock.js';
import { SecretBox } from '../common/secret-box.js';
import { Database } from '../database/database.js';
import { readPage } from '../database/read-page.js';
import { EgressRules } from '../egress/egress-rules.js';
import type { IdPageQuery, Page } from '../http/paging.js';
import type { Actor } from '../tenancy/actor.js';
import { AuditLog } from '../tenancy/audit-log.js';
import { ROTATION_HOURS, secretPlace } from './endpoint-secret.js';
import { findEndpoint } from './find-endpoint.js';
import { newSecret } from './standard-webhooks.js';
import { WebhookEndpoint } from './webhook-endpoint.entity.js';
import type {
  CreateWebhookEndpoint,
  CreatedWebhookEndpoint,
  RotatedSecret,
  UpdateWebhookEndpoint,
  WebhookEndpointView,
} from './webhook-endpoint.schema.js';

@Injectable()
export class WebhookEndpointsService {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly secretBox: SecretBox,
    private readonly rules: EgressRules,
    private readonly clock: Clock,
  ) {}

  list({ tenantId }: Actor, query: IdPageQuery): Promise<Page<WebhookEndpointView>> {
    return readPage(this.database.source.manager, WebhookEndpoint, { tenantId }, query, viewOf);
  }

  async get({ tenantId }: Actor, id: string): Promise<WebhookEndpointView> {
    return viewOf(await findEndpoint(this.database.source.manager, tenantId, id));
  }

  /** @throws {Problem} `unsafe-url` */
  create(actor: Actor, body: CreateWebhookEndpoint): Promise<CreatedWebhookEndpoint> {
    const { tenantId } = actor;
    const url = this.#safeUrl(body.url);
    return this.database.source.transaction(async (manager) => {
      const id = newId();
      const secret = newSecret();
      await manager.insert(WebhookEndpoint, {
        ...body,
        tenantId,
        id,
        url,
        secretSealed: this.secretBox.seal(secret, secretPlace(tenantId, id)),
        statusReason: null,
      });
      const endpoint = await findEndpoint(manager, tenantId, id);
      await this.#record(manager, actor, 'webhook-endpoint.created', endpoint, { host: new URL(url).host });
      return { ...viewOf(endpoint), secret };
    });
  }

  /** @throws {Problem} `unsafe-url` */
  update(actor: Actor, id: string, patch: UpdateWebhookEndpoint): Promise<WebhookEndpointView> {
    const url = patch.url === undefined ? undefined : this.#safeUrl(patch.url);
    return this.database.source.transaction(async (manager) => {
      const { tenantId } = actor;
      const current = await findEndpoint(manager, tenantId, id, 'pessimistic_write');
      await manager.update(
        WebhookEndpoint,
        { tenantId, id },
        {
          url: url ?? current.url,
          description: patch.description ?? current.description,
          eventTypes: patch.eventTypes === undefined ? current.eventTypes : [...patch.eventTypes],
          status: patch.status ?? current.status,
          statusReason: patch.status === undefined ? current.statusReason : null,
          // Who enables it has repaired it.
          ...(patch.status === 'enabled' && { failingSince: null, failedAt: null, failures: 0, failingTold: false }),
        },
      );
      const endpoint = await findEndpoint(manager, tenantId, id);
      const detail = { fields: Object.keys(patch), host: new URL(endpoint.url).host };
      await this.#record(manager, actor, 'webhook-endpoint.updated', endpoint, detail);
      return viewOf(endpoint);
    });
  }

  /** A new secret. The one before signs beside it for a day; one that is older still does not any more. */
  rotateSecret(actor: Actor, id: string): Promise<RotatedSecret> {
    return this.database.source.transaction(async (manager) => {
      const { tenantId } = actor;
      const endpoint = await findEndpoint(manager, tenantId, id, 'pessimistic_write');
      const secret = newSecret();
      const previousSecretUntil = new Date(this.clock.now() + ROTATION_HOURS * 3_600_000);
      await manager.update(
        WebhookEndpoint,
        { tenantId, id },
        {
          secretSealed: this.secretBox.seal(secret, secretPlace(tenantId, id)),
          previousSecretSealed: endpoint.secretSealed,
          previousSecretUntil,
        },
      );
      await this.#record(manager, actor, 'webhook-endpoint.secret-rotated', endpoint, {});
      return { secret, previousSecretUntil: previousSecretUntil.toISOString() };
    });
  }

  /** Removes it with its deliveries. */
  remove(actor: Actor, id: string): Promise<void> {
    return this.database.source.transaction(async (manager) => {
      const { tenantId } = actor;
      const endpoint = await findEndpoint(manager, tenantId, id, 'pessimistic_write');
      await manager.delete(WebhookEndpoint, { tenantId, id });
      await this.#record(manager, actor, 'webhook-endpoint.deleted', endpoint, { host: new URL(endpoint.url).host });
    });
  }

  #safeUrl(text: string): string {
    const verdict = this.rules.check(text);
    if (verdict.kind === 'refused') throw new Problem('unsafe-url', { detail: verdict.reason, field: 'url' });
    return verdict.target.url.href;
  }

  #record(
    manager: EntityManager,
    actor: Actor,
    action: string,
    { id }: WebhookEndpoint,
    detail: object,
  ): Promise<void> {
    return this.audit.record(manager, {
      tenantId: actor.tenantId,
      actorKeyId: actor.keyId,
      action,
      targetType: 'webhook-endpoint',
      targetId: id,
      // The path of a URL may hold a token of the receiver.
      detail: { ...detail },
    });
  }
}

function viewOf(endpoint: WebhookEndpoint): WebhookEndpointView {
  const { id, url, description, eventTypes, status, statusReason, failingSince, createdAt, updatedAt } = endpoint;
  return {
    id,
    url,
    description,
    eventTypes: eventTypes as WebhookEndpointView['eventTypes'],
    status,
    statusReason,
    failingSince: failingSince?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}

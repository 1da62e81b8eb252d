import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { uuidPattern } from '../common/ids.js';
import { Problem } from '../common/problems.js';
import { Database } from '../database/database.js';
import type { IncomingRequest } from '../http/request.js';
import type { Actor, PlatformActor } from './actor.js';
import { ApiKeyLookup, type KnownKey } from './api-key-lookup.js';
import { BootstrapKey } from './bootstrap-key.js';
import { PUBLIC, REQUIRED_SCOPE } from './require-scope.js';
import { scopesWithoutTenant, type Scope } from './scopes.js';

export type AuthorizedRequest = IncomingRequest & { actor?: Actor | PlatformActor };

const TENANT_HEADER = 'Ringline-Tenant';
/** Any key that `BOOTSTRAP_API_KEY` may hold fits; more is refused before it is hashed. */
const bearer = /^Bearer +([\x21-\x7e]{16,512})$/i;

/** Lets a request in by its API key, and finds the tenant it acts for. In front of every route. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly database: Database,
    private readonly keys: ApiKeyLookup,
    private readonly bootstrap: BootstrapKey,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC, targets)) return true;
    const scope = this.reflector.getAllAndOverride<Scope | undefined>(REQUIRED_SCOPE, targets);
    if (!scope) throw new Error(`${context.getClass().name}.${context.getHandler().name} asks for no scope`);

    const request = context.switchToHttp().getRequest<AuthorizedRequest>();
    const token = bearer.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) {
      throw new Problem('unauthorized', { detail: 'The request has no API key.', field: 'Authorization' });
    }
    this.database.assertReady();
    this.bootstrap.assertDone();
    const key = await this.keys.find(token);
    if (!key) {
      throw new Problem('unauthorized', { detail: 'The API key is unknown or revoked.', field: 'Authorization' });
    }
    if (!key.scopes.includes(scope) && !key.scopes.includes('platform')) {
      throw new Problem('forbidden', { detail: `The key lacks the scope \`${scope}\`.` });
    }
    const actor = { keyId: key.id, scopes: key.scopes };
    request.actor = scopesWithoutTenant.has(scope)
      ? { ...actor, pbxNodeId: key.pbxNodeId }
      : { ...actor, tenantId: await this.#tenantOf(key, request) };
    return true;
  }

  async #tenantOf(key: KnownKey, request: AuthorizedRequest): Promise<string> {
    const named = request.get(TENANT_HEADER)?.toLowerCase();
    if (key.tenantId !== null) {
      if (named === undefined || named === key.tenantId) return key.tenantId;
    } else if (named === undefined) {
      throw new Problem('tenant-required', {
        detail: 'This is a platform key: say which tenant the request is for.',
        field: TENANT_HEADER,
      });
    } else if (uuidPattern.test(named) && (await this.keys.tenantExists(named))) {
      return named;
    }
    throw new Problem('not-found', { detail: 'There is no such tenant.', field: TENANT_HEADER });
  }
}

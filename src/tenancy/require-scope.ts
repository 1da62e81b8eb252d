import { SetMetadata, applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiSecurity } from '@nestjs/swagger';
import type { Actor, PlatformActor } from './actor.js';
import type { AuthorizedRequest } from './api-key.guard.js';
import type { Scope } from './scopes.js';

export const REQUIRED_SCOPE = 'ringline:scope';
export const PUBLIC = 'ringline:public';

/**
 * The route needs a key with this scope; a `platform` key has every scope. With any scope but `platform` and `cel:write`
 * the route acts for one tenant: the key's, or for a platform key the one that the header `Ringline-Tenant` names.
 */
export const RequireScope = (scope: Scope): MethodDecorator & ClassDecorator =>
  applyDecorators(SetMetadata(REQUIRED_SCOPE, scope), ApiSecurity('apiKey', [scope]));

/** The route needs no key. A route that is neither public nor asks for a scope refuses everybody. */
export const Public = (): MethodDecorator & ClassDecorator => SetMetadata(PUBLIC, true);

/** Who asks: an `Actor`, or on a route that acts for no tenant a `PlatformActor`. */
export const CurrentActor = createParamDecorator((_: unknown, context: ExecutionContext): Actor | PlatformActor => {
  const { actor } = context.switchToHttp().getRequest<AuthorizedRequest>();
  if (!actor) throw new Error('@CurrentActor() on a public route');
  return actor;
});

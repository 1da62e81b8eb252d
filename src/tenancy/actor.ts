import type { Scope } from './scopes.js';

/** Who asks: the API key of a request, and the tenant it acts for. */
export type Actor = {
  readonly keyId: string;
  /** The key's tenant, or for a platform key the one named by the header `Ringline-Tenant`. */
  readonly tenantId: string;
  readonly scopes: readonly Scope[];
};

/** Who asks, where no tenant is needed: `/v1/tenants`, `/v1/pbx-nodes`. */
export type PlatformActor = Omit<Actor, 'tenantId'> & {
  /** The only node that the key may act for; null for a platform key, which may for every one. */
  readonly pbxNodeId: string | null;
};

import type { SecretPlace } from '../common/secret-box.js';

/** The row a webhook secret is sealed for: copied to another tenant's or endpoint's row it does not open. */
export function secretPlace(tenantId: string, endpointId: string): SecretPlace {
  return { table: 'webhook_endpoint', column: 'secret_sealed', id: `${tenantId}/${endpointId}` };
}

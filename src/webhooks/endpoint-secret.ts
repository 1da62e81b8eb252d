import type { SecretBox, SecretPlace } from '../common/secret-box.js';
import { signingKey } from './standard-webhooks.js';

/** How long the secret before signs too after a new one was made, hours: a receiver needs no moment of its own to change. */
export const ROTATION_HOURS = 24;

/** The row a webhook secret is sealed for: copied to another tenant's or endpoint's row it does not open. */
export function secretPlace(tenantId: string, endpointId: string): SecretPlace {
  return { table: 'webhook_endpoint', column: 'secret_sealed', id: `${tenantId}/${endpointId}` };
}

/** @throws {Error} when it was sealed with another key or for another row. */
export function openKey(box: SecretBox, sealed: string, tenantId: string, endpointId: string): Buffer {
  return signingKey(box.open(sealed, secretPlace(tenantId, endpointId)));
}

import type { EntityManager } from 'typeorm';
import { Problem } from '../common/problems.js';
import { WebhookEndpoint } from './webhook-endpoint.entity.js';

/** @throws {Problem} `not-found` */
export async function findEndpoint(
  manager: EntityManager,
  tenantId: string,
  id: string,
  lock?: 'pessimistic_write',
): Promise<WebhookEndpoint> {
  const endpoint = await manager.findOne(WebhookEndpoint, {
    where: { tenantId, id },
    ...(lock && { lock: { mode: lock } }),
  });
  if (!endpoint) throw new Problem('not-found', { detail: 'There is no such webhook endpoint.', field: 'id' });
  return endpoint;
}

import type { EntityManager } from 'typeorm';
import { Problem } from '../../common/problems.js';
import { CrmConnection } from './crm-connection.entity.js';

/** @throws {Problem} `not-found` */
export async function findConnection(
  manager: EntityManager,
  tenantId: string,
  id: string,
  lock?: 'pessimistic_write',
): Promise<CrmConnection> {
  const connection = await manager.findOne(CrmConnection, {
    where: { tenantId, id },
    ...(lock && { lock: { mode: lock } }),
  });
  if (!connection) throw new Problem('not-found', { detail: 'There is no such CRM connection.', field: 'id' });
  return connection;
}

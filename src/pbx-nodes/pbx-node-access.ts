import type { EntityManager } from 'typeorm';
import { Problem } from '../common/problems.js';
import { PbxNode } from './pbx-node.entity.js';

/**
 * Asserts that the tenant may have lines and devices on a node, and keeps that true until the transaction ends.
 * @throws {Problem} `not-found` for a node that is not there or not for this tenant: the two look the same
 */
export async function assertNodeFor(
  manager: EntityManager,
  tenantId: string,
  nodeId: string,
  field: string,
): Promise<void> {
  // The lock is the one an update of the node has to wait for.
  const node = await manager.findOne(PbxNode, { where: { id: nodeId }, lock: { mode: 'pessimistic_read' } });
  if (!node || (node.tenantIds.length > 0 && !node.tenantIds.includes(tenantId))) {
    throw new Problem('not-found', { detail: 'There is no such PBX node for this tenant.', field });
  }
}

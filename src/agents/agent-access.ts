import { In, type EntityManager } from 'typeorm';
import { Problem } from '../common/problems.js';
import { Agent } from './agent.entity.js';

/**
 * Asserts that the tenant has all these agents, and keeps them from being removed until the transaction ends.
 * @throws {Problem} `not-found`, naming the first one that is missing
 */
export async function assertAgentsOf(
  manager: EntityManager,
  tenantId: string,
  agentIds: readonly string[],
  field: string,
): Promise<void> {
  const found = await manager.find(Agent, {
    where: { tenantId, id: In(agentIds) },
    order: { id: 'ASC' },
    lock: { mode: 'pessimistic_read' },
  });
  const known = new Set(found.map(({ id }) => id));
  const position = agentIds.findIndex((id) => !known.has(id));
  if (position >= 0)
    throw new Problem('not-found', { detail: 'There is no such agent.', field: `${field}.${position}` });
}

import { In, type EntityManager } from 'typeorm';
import { newId } from '../common/ids.js';
import { Problem } from '../common/problems.js';
import { databaseProblem } from '../http/database-problem.js';
import { assertNodeFor } from '../pbx-nodes/pbx-node-access.js';
import type { DeviceInput, DeviceView } from './agent.schema.js';
import { Device } from './device.entity.js';

/** The devices of some agents, each list in its order. */
export async function readDevices(
  manager: EntityManager,
  tenantId: string,
  agentIds: readonly string[],
): Promise<ReadonlyMap<string, DeviceView[]>> {
  const lists = new Map<string, DeviceView[]>(agentIds.map((id) => [id, []]));
  if (agentIds.length === 0) return lists;
  const rows = await manager.find(Device, { where: { tenantId, agentId: In(agentIds) }, order: { position: 'ASC' } });
  for (const { agentId, id, kind, pbxNodeId, endpoint, autoAnswer, position } of rows) {
    lists.get(agentId)?.push({ id, kind, pbxNodeId, endpoint, autoAnswer, order: position });
  }
  return lists;
}

/**
 * Makes the agent's list of devices the one that was sent. A device keeps its id when the list names it, or the same
 * endpoint.
 * @throws {Problem} `not-found` for a node or a device id, `conflict` for an endpoint that somebody else has
 */
export async function replaceDevices(
  manager: EntityManager,
  tenantId: string,
  agentId: string,
  wanted: readonly DeviceInput[],
): Promise<void> {
  const before = (await readDevices(manager, tenantId, [agentId])).get(agentId) ?? [];
  const devices = wanted.map((device, index) => ({ device, index, id: idFor(device, index, before) }));
  for (const { device, index } of devices) {
    await assertNodeFor(manager, tenantId, device.pbxNodeId, `devices.${index}.pbxNodeId`);
  }
  await manager.delete(Device, { tenantId, agentId });
  const ordered = devices.toSorted((a, b) => (a.device.order ?? a.index) - (b.device.order ?? b.index));
  for (const [position, { id, index, device }] of ordered.entries()) {
    const { kind, pbxNodeId, endpoint, autoAnswer } = device;
    try {
      await manager.insert(Device, { tenantId, id, agentId, kind, pbxNodeId, endpoint, autoAnswer, position });
    } catch (error) {
      const problem = databaseProblem(error);
      if (problem?.type !== 'conflict') throw error;
      throw new Problem('conflict', { ...problem.details, field: `devices.${index}.endpoint` });
    }
  }
}

function idFor(device: DeviceInput, index: number, before: readonly DeviceView[]): string {
  if (device.id === undefined) {
    const same = before.find((old) => old.pbxNodeId === device.pbxNodeId && old.endpoint === device.endpoint);
    return same?.id ?? newId();
  }
  if (before.some(({ id }) => id === device.id)) return device.id;
  throw new Problem('not-found', { detail: 'The agent has no such device.', field: `devices.${index}.id` });
}

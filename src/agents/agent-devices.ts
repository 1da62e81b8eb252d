import { In, type EntityManager } from 'typeorm';
import { readOutsideNumber } from '../calls/outside-number.js';
import { newId } from '../common/ids.js';
import { Problem } from '../common/problems.js';
import { databaseProblem } from '../http/database-problem.js';
import { assertNodeFor } from '../pbx-nodes/pbx-node-access.js';
import { Tenant } from '../tenancy/tenant.entity.js';
import type { DeviceInput, DeviceView } from './agent.schema.js';
import { Device, isOutsideNumber, isPhone } from './device.entity.js';

/** The devices of some agents, each list in its order. */
export async function readDevices(
  manager: EntityManager,
  tenantId: string,
  agentIds: readonly string[],
): Promise<ReadonlyMap<string, DeviceView[]>> {
  const lists = new Map<string, DeviceView[]>(agentIds.map((id) => [id, []]));
  if (agentIds.length === 0) return lists;
  const rows = await manager.find(Device, { where: { tenantId, agentId: In(agentIds) }, order: { position: 'ASC' } });
  for (const row of rows) {
    const { agentId, id, position: order } = row;
    const view: DeviceView | null = isPhone(row)
      ? { id, kind: 'sip', pbxNodeId: row.pbxNodeId, endpoint: row.endpoint, autoAnswer: row.autoAnswer, order }
      : isOutsideNumber(row)
        ? { id, kind: 'number', number: row.number, confirm: row.confirm, order }
        : null;
    if (view !== null) lists.get(agentId)?.push(view);
  }
  return lists;
}

/**
 * Makes the agent's list of devices the one that was sent. A device keeps its id when the list names it, or the same
 * endpoint or number.
 * @throws {Problem} `not-found` for a node or a device id, `conflict` for an endpoint or number that somebody else has,
 * `invalid-number` or `number-blocked` for a number that may not be called
 */
export async function replaceDevices(
  manager: EntityManager,
  tenantId: string,
  agentId: string,
  wanted: readonly DeviceInput[],
): Promise<void> {
  const before = (await readDevices(manager, tenantId, [agentId])).get(agentId) ?? [];
  const devices: { device: DeviceInput; index: number; id: string }[] = [];
  for (const [index, sent] of wanted.entries()) {
    const device = await checked(manager, tenantId, sent, index);
    devices.push({ device, index, id: idFor(device, index, before) });
  }
  await manager.delete(Device, { tenantId, agentId });
  const ordered = devices.toSorted((a, b) => (a.device.order ?? a.index) - (b.device.order ?? b.index));
  for (const [position, { id, index, device }] of ordered.entries()) {
    try {
      await manager.insert(Device, { tenantId, id, agentId, position, ...columnsOf(device) });
    } catch (error) {
      const problem = databaseProblem(error);
      if (problem?.type !== 'conflict') throw error;
      throw new Problem('conflict', { ...problem.details, field: `devices.${index}.${nameOf(device)}` });
    }
  }
}

/** A number is stored as E.164, however it was written. */
async function checked(
  manager: EntityManager,
  tenantId: string,
  device: DeviceInput,
  index: number,
): Promise<DeviceInput> {
  if (device.kind === 'sip') {
    await assertNodeFor(manager, tenantId, device.pbxNodeId, `devices.${index}.pbxNodeId`);
    return device;
  }
  const tenant = await manager.findOneByOrFail(Tenant, { id: tenantId });
  const { e164 } = await readOutsideNumber(manager, tenant, device.number, `devices.${index}.number`);
  return { ...device, number: e164 };
}

function columnsOf(
  device: DeviceInput,
): Pick<Device, 'kind' | 'pbxNodeId' | 'endpoint' | 'autoAnswer' | 'number' | 'confirm'> {
  const { kind } = device;
  if (kind === 'number') {
    const { number, confirm } = device;
    return { kind, number, confirm, pbxNodeId: null, endpoint: null, autoAnswer: 'none' };
  }
  const { pbxNodeId, endpoint, autoAnswer } = device;
  return { kind, pbxNodeId, endpoint, autoAnswer, number: null, confirm: null };
}

function nameOf({ kind }: DeviceInput): 'endpoint' | 'number' {
  return kind === 'sip' ? 'endpoint' : 'number';
}

function idFor(device: DeviceInput, index: number, before: readonly DeviceView[]): string {
  if (device.id === undefined) return before.find((old) => isSameDevice(old, device))?.id ?? newId();
  if (before.some(({ id }) => id === device.id)) return device.id;
  throw new Problem('not-found', { detail: 'The agent has no such device.', field: `devices.${index}.id` });
}

function isSameDevice(a: DeviceView, b: DeviceInput): boolean {
  if (a.kind === 'number') return b.kind === 'number' && a.number === b.number;
  return b.kind === 'sip' && a.pbxNodeId === b.pbxNodeId && a.endpoint === b.endpoint;
}

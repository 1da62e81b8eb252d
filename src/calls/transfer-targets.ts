import { Injectable } from '@nestjs/common';
import { Agent } from '../agents/agent.entity.js';
import { Device, isPhone } from '../agents/device.entity.js';
import { Problem } from '../common/problems.js';
import { Database } from '../database/database.js';
import { Line } from '../lines/line.entity.js';
import { isEmergencyNumber } from '../numbers/emergency-numbers.js';
import { formatForTrunk } from '../numbers/trunk-format.js';
import { PbxNode } from '../pbx-nodes/pbx-node.entity.js';
import { Tenant } from '../tenancy/tenant.entity.js';
import type { TransferCall } from './call-request.schema.js';
import { parsePhoneNumber } from '../numbers/phone-number.js';
import type { Call } from './domain/call.js';
import type { AgentPhone, Consulted, PhoneWish, TransferTarget } from './domain/plan.js';
import type { LiveCall } from './ledger/live-call.js';
import { readOutsideNumber } from './outside-number.js';

/** Finds whom a transfer rings, from the records alone: whether a phone is there shows when it is rung. */
@Injectable()
export class TransferTargets {
  constructor(private readonly database: Database) {}

  /** @throws {Problem} why the call cannot go there */
  async find(call: Call, { agentId, to, extension, context }: TransferCall): Promise<TransferTarget> {
    if (agentId !== undefined) return this.#agent(call, agentId);
    return extension === undefined ? this.#number(call, to as string) : this.#extension(call, extension, context);
  }

  /**
   * To whom a phone wants its call to go: an agent, by the name of an endpoint of his on this PBX; else an outside number.
   * @throws {Problem} why the call cannot go there
   */
  async wished({ document: call, legs }: LiveCall, leg: string, { to, consulted }: PhoneWish): Promise<TransferTarget> {
    if (call === null) throw new Problem('not-found', { detail: 'There is no such call.' });
    const device = await this.#device(call, consulted == null ? to : endpointOf(consulted));
    const own = legs.find(({ id }) => id === leg)?.agentId;
    if (device !== null && device.agentId === own)
      throw new Problem('transfer-conflict', { detail: 'This agent has the call already.' });
    if (consulted == null) return device === null ? this.#number(call, to) : this.#agent(call, device.agentId);
    return this.#talking(call, consulted, device, to);
  }

  /**
   * Whom a transfer reached that the switch carried out by itself.
   * @param name What it calls the leg that leads there.
   * @param to The extension that was dialled; of an attended one, the number of who is there, or nothing.
   * @param beyond What it calls the leg of who is there; null where nobody is, or it does not say.
   */
  async reached({ identity }: LiveCall, name: string, to: string, beyond: string | null): Promise<Consulted> {
    const there = beyond === null ? null : await this.#device(identity, endpointOf(beyond));
    return this.#talking(identity, name, there ?? (await this.#device(identity, to)), to);
  }

  async #talking(
    { tenantId }: Pick<Call, 'tenantId'>,
    name: string,
    device: Device | null,
    to: string,
  ): Promise<Consulted> {
    const { region } = await this.database.source.manager.findOneByOrFail(Tenant, { id: tenantId });
    const phone: AgentPhone | null =
      device === null || !isPhone(device)
        ? null
        : { agentId: device.agentId, endpoint: device.endpoint, autoAnswer: 'none' };
    return { kind: 'consulted', name, phone, number: parsePhoneNumber(to, region) };
  }

  #device({ tenantId, pbxNodeId }: Pick<Call, 'tenantId' | 'pbxNodeId'>, endpoint: string): Promise<Device | null> {
    return this.database.source.manager.findOneBy(Device, { tenantId, pbxNodeId, endpoint });
  }

  async #agent({ tenantId, pbxNodeId }: Call, agentId: string): Promise<TransferTarget> {
    const { manager } = this.database.source;
    const [agent, devices] = await Promise.all([
      manager.findOneBy(Agent, { tenantId, id: agentId }),
      manager.find(Device, { where: { tenantId, agentId, kind: 'sip' }, order: { position: 'ASC' } }),
    ]);
    const field = 'agentId';
    if (agent === null) throw new Problem('not-found', { detail: 'There is no such agent.', field });
    if (devices.length === 0)
      throw new Problem('agent-without-device', { detail: 'This agent has no device that could ring.', field });
    const phones = devices.filter(isPhone).filter((device) => device.pbxNodeId === pbxNodeId);
    if (phones.length === 0)
      throw new Problem('node-mismatch', {
        detail: 'The agent’s devices are on another PBX node than the call.',
        field,
      });
    // He is called while he does something else: his phone rings, and does not answer by itself.
    return { kind: 'agent', phones: phones.map(({ endpoint }) => ({ agentId, endpoint, autoAnswer: 'none' })) };
  }

  /** In a context that the node names for it; the first of them where none is asked for. */
  async #extension({ tenantId, pbxNodeId }: Call, extension: string, wanted?: string): Promise<TransferTarget> {
    const { manager } = this.database.source;
    const [{ region }, { name, extensionContexts }] = await Promise.all([
      manager.findOneByOrFail(Tenant, { id: tenantId }),
      manager.findOneByOrFail(PbxNode, { id: pbxNodeId }),
    ]);
    const [context = null] =
      wanted === undefined ? extensionContexts : extensionContexts.filter((one) => one === wanted);
    if (context === null)
      throw new Problem('extensions-not-allowed', {
        detail:
          extensionContexts.length === 0
            ? `The PBX node ${name} names no context in which extensions may be dialled.`
            : `The PBX node ${name} does not name this context; it names ${extensionContexts.join(', ')}.`,
        field: wanted === undefined ? 'extension' : 'context',
      });
    // A context may lead outside: that promise holds there too.
    if (isEmergencyNumber(extension, region))
      throw new Problem('number-blocked', {
        detail: 'Emergency numbers are never dialled from here; use the phone.',
        field: 'extension',
      });
    return { kind: 'extension', number: { raw: extension, e164: null, name: null }, context };
  }

  /** By the trunk of the call's line, under the rules and within the limits of click-to-calls. */
  async #number({ tenantId, line: shown }: Call, to: string): Promise<TransferTarget> {
    const { source } = this.database;
    const [tenant, line] = await Promise.all([
      source.manager.findOneByOrFail(Tenant, { id: tenantId }),
      shown === null ? null : source.manager.findOneBy(Line, { tenantId, id: shown.id }),
    ]);
    const number = await readOutsideNumber(source, tenant, to);
    if (line?.outbound == null)
      throw new Problem('line-without-trunk', {
        detail: 'The line of this call only takes calls: it has no `outbound`.',
      });
    await this.#checkLimit(tenant);
    const { endpoint, ...format } = line.outbound;
    const trunk = { endpoint, number: formatForTrunk(number.e164, format, tenant.region) };
    return { kind: 'number', number, trunk };
  }

  /** What calls outside numbers in an hour is bounded, however it is asked for. */
  async #checkLimit({ id, limits }: Tenant): Promise<void> {
    const [{ hour }]: [{ hour: number }] = await this.database.source.query(
      `select (select count(*)::int from call_request where tenant_id = $1 and created_at > now() - interval '1 hour')
            + (select count(*)::int
                 from call c
                 join call_leg l on l.tenant_id = c.tenant_id and l.call_id = c.id and l.leg = c.id::text
                 join call_fact f on f.pbx_node_id = l.pbx_node_id and f.boot = l.boot and f.leg = l.leg
                where c.tenant_id = $1 and c.started_at > now() - interval '1 hour' - make_interval(secs => $2)
                  and f.kind = 'transfer-asked' and f.data->'target'->>'kind' = 'number'
                  and f.at > now() - interval '1 hour') as hour`,
      [id, limits.callSeconds],
    );
    if (hour >= limits.callsPerHour)
      throw new Problem('too-many-calls', {
        detail: `${hour} outside numbers were called in the last hour, the tenant’s limit.`,
        retryAfterSeconds: 60,
      });
  }
}

/** The endpoint whose leg has this name. */
function endpointOf(leg: string): string {
  return leg.replace(/^PJSIP\/(.*)-[^-]*$/, '$1');
}

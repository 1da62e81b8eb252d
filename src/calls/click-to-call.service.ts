import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Device, isOutsideNumber, isPhone } from '../agents/device.entity.js';
import { Agent } from '../agents/agent.entity.js';
import { newId } from '../common/ids.js';
import { Problem, type ProblemDetails, type ProblemType } from '../common/problems.js';
import { Database } from '../database/database.js';
import { Line } from '../lines/line.entity.js';
import { formatForTrunk } from '../numbers/trunk-format.js';
import { requestedLinks, type RequestedLinks } from '../outbox/crm-links.js';
import { Tenant } from '../tenancy/tenant.entity.js';
import type { CreateCall } from './call-request.schema.js';
import { REQUEST_MADE } from './control/request-intake.js';
import type { Call } from './domain/call.js';
import type { ClickToCall } from './domain/plan.js';
import { Gate } from './gate.js';
import { readOutsideNumber } from './outside-number.js';
import { outsidePhones } from './outside-phones.js';
import { RequestDecisions } from './request-decisions.js';

/** How long the node's owner may take to accept or refuse, ms. */
const DECISION_DEADLINE_MS = 2_000;
/** How long a repeated request waits for the decision on the first, ms. */
const REPEAT_DEADLINE_MS = 3_000;
/**
 * Requests that are looked at side by side. A crowd of clicks waits here, not for connections to the database: the node's
 * owner needs those to decide on the first of them.
 */
const CLICKS_AT_ONCE = 6;
const AGENT_RING_SECONDS = 30;
const REMOTE_RING_SECONDS = 60;

/** Who asks: an API key, or the CRM of a connection by its door. */
export type Caller = { readonly tenantId: string; readonly keyId: string | null };

/** What a CRM that asks by its door says besides. */
export type DoorCaller = { readonly connectionId: string; readonly remoteCallId: string | null };

export type PlacedCall = { readonly call: Call; readonly replayed: boolean };

type RequestState = {
  readonly call_id: string;
  readonly body_hash: Buffer;
  readonly state: 'deciding' | 'placing' | 'accepted' | 'refused';
  readonly refusal: { readonly type: ProblemType; readonly details: ProblemDetails } | null;
  readonly document: Call | null;
};

/**
 * Places click-to-calls. It decides what can be decided from the records, stores the request as a plan, and waits for the
 * node's owner, who alone speaks to the switch. One request, one call: repeats with the same key get the same answer.
 */
@Injectable()
export class ClickToCallService {
  readonly #gate = new Gate(CLICKS_AT_ONCE);

  constructor(
    private readonly database: Database,
    private readonly decisions: RequestDecisions,
  ) {}

  /**
   * @throws {Problem} why the call cannot be placed. A refused request stores nothing.
   */
  async place(actor: Caller, idempotencyKey: string, body: CreateCall, door?: DoorCaller): Promise<PlacedCall> {
    const bodyHash = createHash('sha256').update(canonical(body)).digest();
    const crm = crmOf(body, door);
    const begun = await this.#gate.run(() => this.#begin(actor, idempotencyKey, bodyHash, body, crm));
    return 'earlier' in begun
      ? this.#replay(actor.tenantId, idempotencyKey, bodyHash, begun.earlier)
      : { call: await this.#decided(actor.tenantId, idempotencyKey, begun.callId), replayed: false };
  }

  /** Stores the request, or finds that it was sent before. */
  async #begin(
    actor: Caller,
    key: string,
    bodyHash: Buffer,
    body: CreateCall,
    crm: RequestedLinks | null,
  ): Promise<{ readonly earlier: RequestState } | { readonly callId: string }> {
    const earlier = await this.#find(actor.tenantId, key);
    if (earlier !== null) return { earlier };
    const { plan, pbxNodeId, isBusy } = await this.#plan(actor.tenantId, body);
    const callId = newId();
    if (!isBusy && (await this.#store(actor, key, bodyHash, callId, body.agentId, pbxNodeId, plan, crm)))
      return { callId };
    // What stands in the way may be this very request, sent a moment earlier.
    const first = await this.#find(actor.tenantId, key);
    if (first !== null) return { earlier: first };
    throw agentBusy();
  }

  async #replay(tenantId: string, key: string, bodyHash: Buffer, first: RequestState): Promise<PlacedCall> {
    if (!first.body_hash.equals(bodyHash)) {
      throw new Problem('idempotency-key-reused', {
        detail: 'This Idempotency-Key was used for another request.',
        field: 'Idempotency-Key',
      });
    }
    const call = callOf(await this.#decision(tenantId, key, first.call_id, REPEAT_DEADLINE_MS));
    if (call !== null) return { call, replayed: true };
    throw new Problem('request-in-progress', { detail: 'The first request with this key has not been decided yet.' });
  }

  /** Waits for the node's owner. The request is withdrawn when it was refused, or nobody took it up in time. */
  async #decided(tenantId: string, key: string, callId: string): Promise<Call> {
    let found = await this.#decision(tenantId, key, callId, DECISION_DEADLINE_MS);
    if (found === null && !(await this.#withdraw(callId))) {
      // Taken up in the last moment: its first facts are being stored.
      found = await this.#decision(tenantId, key, callId, DECISION_DEADLINE_MS);
    }
    // Not by whoever repeated the request: then it would be gone before its first sender has read why.
    if (found?.refusal != null) await this.#withdraw(callId);
    const call = callOf(found);
    if (call !== null) return call;
    throw new Problem('node-unavailable', {
      detail: 'The PBX of this agent did not take the call in time.',
      retryAfterSeconds: 5,
    });
  }

  /** The request once it was accepted or refused; null when nothing was decided in time, or it is gone. */
  async #decision(tenantId: string, key: string, callId: string, deadlineMs: number): Promise<RequestState | null> {
    const state = await this.decisions.until(callId, deadlineMs, async () => {
      const found = await this.#find(tenantId, key);
      return found === null || found.document !== null || found.refusal !== null ? { found } : null;
    });
    return state?.found ?? null;
  }

  async #withdraw(callId: string): Promise<boolean> {
    const rows: unknown[] = await this.database.source.query(
      `with gone as (delete from call_request where call_id = $1 and state in ('deciding', 'refused') returning 1) select * from gone`,
      [callId],
    );
    return rows.length > 0;
  }

  async #find(tenantId: string, key: string): Promise<RequestState | null> {
    const [row]: RequestState[] = await this.database.source.query(
      `select r.call_id, r.body_hash, r.state, r.refusal, c.document
         from call_request r left join call c on c.tenant_id = r.tenant_id and c.id = r.call_id
        where r.tenant_id = $1 and r.idempotency_key = $2`,
      [tenantId, key],
    );
    return row ?? null;
  }

  /** What is to be dialled, from the records alone. */
  async #plan(tenantId: string, body: CreateCall): Promise<{ plan: ClickToCall; pbxNodeId: string; isBusy: boolean }> {
    const { manager } = this.database.source;
    const [tenant, agent, devices, open, connections] = await Promise.all([
      manager.findOneByOrFail(Tenant, { id: tenantId }),
      manager.findOneBy(Agent, { tenantId, id: body.agentId }),
      manager.find(Device, { where: { tenantId, agentId: body.agentId }, order: { position: 'ASC' } }),
      // Asked here so that a crowd of clicks on one agent does not queue for the tenant's row.
      this.database.source.query('select 1 from call_request where tenant_id = $1 and agent_id = $2 and open', [
        tenantId,
        body.agentId,
      ]),
      body.crm === undefined
        ? null
        : this.database.source.query('select 1 from crm_connection where tenant_id = $1 and id = $2', [
            tenantId,
            body.crm.connectionId,
          ]),
    ]);
    if (connections !== null && (connections as unknown[]).length === 0) {
      throw new Problem('not-found', { detail: 'There is no such CRM connection.', field: 'crm.connectionId' });
    }
    if (agent === null) throw new Problem('not-found', { detail: 'There is no such agent.', field: 'agentId' });
    const to = await readOutsideNumber(this.database.source, tenant, body.to);
    if (devices.length === 0)
      throw new Problem('agent-without-device', {
        detail: 'This agent has no device that could ring.',
        field: 'agentId',
      });
    const line = await this.#line(manager, tenantId, body.lineId, devices);
    const phones = devices.filter(isPhone).filter(({ pbxNodeId }) => pbxNodeId === line.pbxNodeId);
    const numbers = devices.filter(isOutsideNumber);
    if (phones.length === 0 && numbers.length === 0) {
      throw new Problem('node-mismatch', {
        detail: 'The agent’s devices and the line are on different PBX nodes.',
        field: 'lineId',
      });
    }
    const outside = await outsidePhones(manager, tenant, numbers, line.outbound);
    if (phones.length === 0 && outside.length === 0)
      throw new Problem('number-blocked', {
        detail: 'By the dial rules and the block list as they are now, the agent’s own number may not be called.',
        field: 'agentId',
      });
    const { endpoint, ...format } = line.outbound;
    return {
      pbxNodeId: line.pbxNodeId,
      isBusy: (open as unknown[]).length > 0,
      plan: {
        kind: 'click-to-call',
        order: body.order,
        phones: phones.map((device) => ({
          agentId: agent.id,
          endpoint: device.endpoint,
          autoAnswer: device.autoAnswer,
        })),
        ...(outside.length > 0 && { outside }),
        to,
        line: { id: line.id, number: line.number, name: line.name },
        trunk: { endpoint, number: formatForTrunk(to.e164, format, tenant.region) },
        tags: body.tags,
        agentRingSeconds: AGENT_RING_SECONDS,
        remoteRingSeconds: REMOTE_RING_SECONDS,
        limitSeconds: tenant.limits.callSeconds,
        record: line.recordingMode === 'on',
      },
    };
  }

  /** The line that was named, or the only one that can carry the call. */
  async #line(
    manager: EntityManager,
    tenantId: string,
    lineId: string | undefined,
    devices: readonly Device[],
  ): Promise<Line & { outbound: NonNullable<Line['outbound']> }> {
    if (lineId !== undefined) {
      const line = await manager.findOneBy(Line, { tenantId, id: lineId });
      if (line === null) throw new Problem('not-found', { detail: 'There is no such line.', field: 'lineId' });
      if (line.outbound === null) {
        throw new Problem('line-without-trunk', {
          detail: 'This line only takes calls: it has no `outbound`.',
          field: 'lineId',
        });
      }
      return line as Line & { outbound: NonNullable<Line['outbound']> };
    }
    const lines = (await manager.findBy(Line, { tenantId })).filter(
      (line): line is Line & { outbound: NonNullable<Line['outbound']> } =>
        line.outbound !== null &&
        devices.some((device) => isOutsideNumber(device) || device.pbxNodeId === line.pbxNodeId),
    );
    const [only] = lines;
    if (only === undefined || lines.length > 1) {
      throw new Problem('line-required', {
        detail:
          only === undefined
            ? 'No line with a trunk is on the agent’s PBX node.'
            : 'Several lines could carry the call; name one.',
        field: 'lineId',
      });
    }
    return only;
  }

  /**
   * Stores the request if the limits allow it. The tenant's row is locked meanwhile, so that limits hold for requests
   * that come side by side. False when the key or the agent was taken in the meantime.
   */
  #store(
    actor: Caller,
    key: string,
    bodyHash: Buffer,
    callId: string,
    agentId: string,
    pbxNodeId: string,
    plan: ClickToCall,
    crm: RequestedLinks | null,
  ): Promise<boolean> {
    return this.database.source.transaction(async (manager) => {
      const { tenantId } = actor;
      // A statement of its own: one that waits for the lock goes on seeing what there was before it waited.
      const [tenant]: Pick<Tenant, 'limits'>[] = await manager.query(
        'select limits from tenant where id = $1 for no key update',
        [tenantId],
      );
      if (tenant === undefined) throw new Problem('not-found', { detail: 'There is no such tenant.' });
      const { limits } = tenant;
      const [counts]: [{ is_known: boolean; open: number; hour: number; oldest: Date | null }] = await manager.query(
        `select exists (select from call_request where tenant_id = $1 and idempotency_key = $2) as is_known,
                (select count(*)::int from call_request where tenant_id = $1 and open) as open,
                count(*)::int as hour, min(created_at) as oldest
           from call_request where tenant_id = $1 and created_at > now() - interval '1 hour'`,
        [tenantId, key],
      );
      if (counts.is_known) return false;
      if (counts.open >= limits.concurrentCalls) {
        throw new Problem('too-many-calls', {
          detail: `${counts.open} click-to-calls are open, the tenant’s limit.`,
          retryAfterSeconds: 15,
        });
      }
      if (counts.hour >= limits.callsPerHour) {
        const waitMs = (counts.oldest?.getTime() ?? Date.now()) + 3_600_000 - Date.now();
        throw new Problem('too-many-calls', {
          detail: `${counts.hour} click-to-calls were placed in the last hour, the tenant’s limit.`,
          retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
        });
      }
      const rows: unknown[] = await manager.query(
        `with stored as (
           insert into call_request (tenant_id, idempotency_key, body_hash, call_id, agent_id, pbx_node_id, state, actor_key_id, open, plan, crm)
           values ($1, $2, $3, $4, $5, $6, 'deciding', $7, true, $8, $9) on conflict do nothing returning pbx_node_id
         ) select pg_notify('${REQUEST_MADE}', pbx_node_id::text) from stored`,
        [tenantId, key, bodyHash, callId, agentId, pbxNodeId, actor.keyId, plan, crm],
      );
      return rows.length > 0;
    });
  }
}

/** @throws {Problem} why it was refused. */
function callOf(request: RequestState | null): Call | null {
  if (request?.refusal != null) throw new Problem(request.refusal.type, request.refusal.details);
  return request?.document ?? null;
}

function crmOf({ crm }: CreateCall, door: DoorCaller | undefined): RequestedLinks | null {
  const connectionId = door?.connectionId ?? crm?.connectionId;
  if (connectionId === undefined) return null;
  return requestedLinks(connectionId, crm ?? null, door?.remoteCallId ?? null);
}

function agentBusy(): Problem {
  return new Problem('agent-busy', { detail: 'This agent already has a click-to-call open.', field: 'agentId' });
}

/** The same text for the same request, whatever the order of its fields. */
function canonical(body: CreateCall): string {
  return JSON.stringify(Object.fromEntries(Object.entries(body).toSorted(([a], [b]) => (a < b ? -1 : 1))));
}

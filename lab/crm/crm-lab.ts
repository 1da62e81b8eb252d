import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { wavHeader } from '../wav-header.js';
import type { Call } from '../../src/calls/domain/call.js';
import type { CallEventType } from '../../src/calls/domain/call-event.js';
import { newId } from '../../src/common/ids.js';
import { connectionRulesSchema, type ConnectionRules } from '../../src/crm/connections/connection-rules.js';
import { newDoor, part, secretsPlace } from '../../src/crm/connections/connection-secrets.js';
import type { CrmAdapter } from '../../src/crm/port/crm-adapter.js';
import { eventParts, eventsParameter, type OutboxEvent } from '../../src/outbox/outbox.js';
import type { DeliveryLab } from '../delivery-lab.js';

/** What a call has become, and what is told of that. */
export type CallChange = { readonly call: Call; readonly type: CallEventType };

const SAMPLE_RATE = 8_000;

/** Connections to CRMs, agents, calls and recordings in the database of a `DeliveryLab`, as Ringline leaves them. */
export class CrmLab {
  constructor(
    readonly delivery: DeliveryLab,
    /** Where the worker keeps recordings: below its DATA_DIR. */
    private readonly recordingsDir: string,
  ) {}

  async connect(
    tenantId: string,
    adapter: CrmAdapter,
    settings: Readonly<Record<string, unknown>>,
    rules: Readonly<Record<string, unknown>>,
  ): Promise<string> {
    const id = newId();
    const { shown, secret } = part(adapter, adapter.settings.parse(settings));
    const stored: ConnectionRules = connectionRulesSchema.parse(rules);
    await this.#query(
      `insert into crm_connection (tenant_id, id, adapter, name, status, settings, secrets_sealed, door_hash, rules)
       values ($1, $2, $3, $4, 'enabled', $5, $6, $7, $8)`,
      [
        tenantId,
        id,
        adapter.name,
        adapter.title,
        JSON.stringify(shown),
        this.delivery.secretBox.seal(JSON.stringify(secret), secretsPlace(tenantId, id)),
        newDoor().hash,
        JSON.stringify(stored),
      ],
    );
    await this.#query('insert into crm_token (tenant_id, connection_id) values ($1, $2)', [tenantId, id]);
    return id;
  }

  async addAgent(
    tenantId: string,
    { name, email }: { readonly name: string; readonly email: string },
  ): Promise<string> {
    const id = newId();
    await this.#query(`insert into agent (tenant_id, id, name, email, crm_users) values ($1, $2, $3, $4, '{}')`, [
      tenantId,
      id,
      name,
      email,
    ]);
    return id;
  }

  /** Commits what calls have become, each once: record, event and what is due for CRMs in one statement, as the ledger does. */
  async commit(changes: readonly CallChange[]): Promise<number> {
    const rows = changes.map(({ call }) => ({ ...call, remoteE164: call.remote.e164, document: call }));
    await this.#query(
      `with change as (
         select * from json_to_recordset($1::json) as c (id uuid, "tenantId" uuid, "pbxNodeId" uuid, direction text,
           status text, outcome text, "remoteE164" text, "startedAt" timestamptz, "endedAt" timestamptz, version int,
           document jsonb)
       ), stored_calls as (
         insert into call (tenant_id, id, pbx_node_id, boot, direction, status, outcome, remote_e164, agent_ids, started_at,
           ended_at, version, document)
         select "tenantId", id, "pbxNodeId", 'boot', direction, status, outcome, "remoteE164", '{}', "startedAt", "endedAt",
           version, document from change
         on conflict (tenant_id, id) do update set status = excluded.status, outcome = excluded.outcome,
           ended_at = excluded.ended_at, version = excluded.version, document = excluded.document
       ), ${eventParts(2)} select`,
      [JSON.stringify(rows), eventsParameter(changes.map(eventOf))],
    );
    const at = Date.now();
    this.delivery.wake(new Set(changes.map(({ call }) => call.tenantId)));
    return at;
  }

  /** A recording of a call that is there, with its file, as the take-over leaves it. */
  async addRecording({ tenantId, id: callId, pbxNodeId, startedAt }: Call): Promise<string> {
    const id = newId();
    const [year = '', month = ''] = startedAt.split('-');
    const folder = join(this.recordingsDir, tenantId, year, month);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `${id}.wav`), silence(0.1));
    await this.#query(
      `insert into recording (tenant_id, id, call_id, pbx_node_id, planned_at, state, next_attempt_at)
       values ($1, $2, $3, $4, $5, 'removed', now())`,
      [tenantId, id, callId, pbxNodeId, startedAt],
    );
    return id;
  }

  #query(sql: string, values: unknown[]): Promise<unknown> {
    return this.delivery.source.query(sql, values);
  }
}

function eventOf({ call, type }: CallChange): OutboxEvent {
  const { tenantId, id: callId, version: sequence } = call;
  const [id, createdAt] = [newId(), new Date()];
  const event = { id, type, timestamp: createdAt.toISOString(), tenantId, sequence, data: { call } };
  return { tenantId, id, callId, type, sequence, createdAt, document: JSON.stringify(event) };
}

function silence(seconds: number): Buffer {
  const bytes = 2 * Math.round(seconds * SAMPLE_RATE);
  return Buffer.concat([wavHeader(bytes), Buffer.alloc(bytes)]);
}

import type { DataSource } from 'typeorm';
import type { Call } from '../src/calls/domain/call.js';
import type { CallEventType } from '../src/calls/domain/call-event.js';
import { newId } from '../src/common/ids.js';
import type { SecretBox } from '../src/common/secret-box.js';
import type { OutboxEvent } from '../src/outbox/outbox.js';
import { secretPlace } from '../src/webhooks/endpoint-secret.js';
import { newSecret } from '../src/webhooks/standard-webhooks.js';
import { writeEvents } from './write-events.js';

export type WrittenCall = { readonly id: string; readonly tenantId: string; sequence: number };
/** What of a record is each call's own. */
export type OwnFields = Pick<Call, 'id' | 'tenantId' | 'pbxNodeId' | 'version'>;

/** Tenants, endpoints, calls and their committed events, in a database as Ringline writes them: no Asterisk is needed. */
export class EventWriter {
  private constructor(
    readonly source: DataSource,
    private readonly secretBox: SecretBox,
    readonly nodeId: string,
  ) {}

  /** In a database whose tables are there. */
  static async open(source: DataSource, secretBox: SecretBox): Promise<EventWriter> {
    const nodeId = newId();
    await source.query(
      `insert into pbx_node (id, name, ari_url, username, password_sealed, app, observe, phone_transfers, extension_contexts, tenant_ids)
       values ($1, $1::uuid::text, 'http://127.0.0.1:1', 'u', '', 'ringline', false, 'auto', '{}', '{}')`,
      [nodeId],
    );
    return new EventWriter(source, secretBox, nodeId);
  }

  async addTenant(): Promise<string> {
    const id = newId();
    await this.source.query(
      `insert into tenant (id, name, region, dial_rules, limits, retention) values ($1, 'Acme', 'DE', '{}', '{}', '{}')`,
      [id],
    );
    return id;
  }

  async addEndpoint(
    tenantId: string,
    url: string,
    { eventTypes = [], status = 'enabled' }: { eventTypes?: readonly string[]; status?: string } = {},
  ): Promise<{ readonly id: string; readonly secret: string }> {
    const id = newId();
    const secret = newSecret();
    await this.source.query(
      `insert into webhook_endpoint (tenant_id, id, url, description, event_types, secret_sealed, status)
       values ($1, $2, $3, '', $4, $5, $6)`,
      [tenantId, id, url, eventTypes, this.secretBox.seal(secret, secretPlace(tenantId, id)), status],
    );
    return { id, secret };
  }

  async addCalls(tenantIds: readonly string[]): Promise<WrittenCall[]> {
    const calls = tenantIds.map((tenantId) => ({ id: newId(), tenantId, sequence: 0 }));
    await this.source.query(
      `insert into call (tenant_id, id, pbx_node_id, boot, direction, status, agent_ids, started_at, version, document)
       select t.tenant_id, t.id, $3, 'boot', 'inbound', 'queued', '{}', now(), 1, '{}'
       from unnest($1::uuid[], $2::uuid[]) as t (tenant_id, id)`,
      [tenantIds, calls.map(({ id }) => id), this.nodeId],
    );
    return calls;
  }

  /** The next event of a call, with the record as `recordOf` gives it. */
  next(call: WrittenCall, type: CallEventType, recordOf: (own: OwnFields) => Call): OutboxEvent {
    call.sequence += 1;
    const { id: callId, tenantId, sequence } = call;
    const [id, createdAt] = [newId(), new Date()];
    const record = recordOf({ id: callId, tenantId, pbxNodeId: this.nodeId, version: sequence });
    const event = { id, type, timestamp: createdAt.toISOString(), tenantId, sequence, data: { call: record } };
    return { tenantId, id, callId, type, sequence, createdAt, document: JSON.stringify(event) };
  }

  /** Commits events in one transaction, as the ledger does. */
  commit(events: readonly OutboxEvent[]): Promise<void> {
    return writeEvents(this.source, events);
  }
}

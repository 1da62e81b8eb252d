import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { EventWriter } from '../../lab/event-writer.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';
import type { CallEventType } from '../../src/calls/domain/call-event.js';
import { systemClock, type Clock } from '../../src/common/clock.js';
import { newId } from '../../src/common/ids.js';
import { createLog } from '../../src/common/logger.js';
import { SecretBox } from '../../src/common/secret-box.js';
import { ContactIndex } from '../../src/contacts/contact-index.js';
import { CrmAdapters } from '../../src/crm/adapters/crm-adapters.js';
import { openGate } from '../../src/crm/client/bounded-client.js';
import { CrmClients } from '../../src/crm/client/crm-clients.js';
import type { Purpose } from '../../src/crm/client/purpose.js';
import { connectionRulesSchema } from '../../src/crm/connections/connection-rules.js';
import { newDoor, secretsPlace } from '../../src/crm/connections/connection-secrets.js';
import type { CrmCapabilities } from '../../src/crm/port/crm-adapter.js';
import { CallSync, syncTimes, type SyncTimes } from '../../src/crm/sync/call-sync.js';
import { ContactFinder } from '../../src/crm/sync/contact-finder.js';
import type { CrmSync } from '../../src/crm/sync/crm-sync.entity.js';
import { CrmSyncMetrics } from '../../src/crm/sync/crm-sync-metrics.js';
import { SyncStore, syncLimits, type SyncLimits } from '../../src/crm/sync/sync-store.js';
import { SyncWorker, workerLimits, type WorkerLimits } from '../../src/crm/sync/sync-worker.js';
import { UserDirectory } from '../../src/crm/sync/user-directory.js';
import { createDataSource } from '../../src/database/data-source.js';
import { Database } from '../../src/database/database.js';
import { DiskStorage } from '../../src/recordings/disk-storage.js';
import { RecordingsForCrm } from '../../src/recordings/recordings-for-crm.js';
import { AuditLog } from '../../src/tenancy/audit-log.js';
import { everything, ToyCrm, toyAdapter } from '../integration/crm-toy.js';
import { callDocument } from '../../lab/call-document.js';

type SyncRow = Pick<CrmSync, 'state' | 'has' | 'wanted' | 'links' | 'attempts' | 'failedStep' | 'failure'> & {
  readonly waitMs: number;
};

export type ToyConnection = { readonly id: string; readonly tenantId: string; readonly crm: ToyCrm };

export type WorkerOptions = {
  readonly times?: Partial<SyncTimes>;
  readonly store?: Partial<SyncLimits>;
  readonly limits?: Partial<WorkerLimits>;
  readonly clock?: Clock;
};

/** Tenants, calls and toy CRMs on a real database, and the worker that brings one to the other. */
export class CrmWorld {
  readonly #ends: (() => Promise<unknown> | void)[] = [];
  readonly #toys = new Map<string, { readonly crm: ToyCrm; readonly capabilities: CrmCapabilities }>();
  readonly #secretBox = new SecretBox('ab'.repeat(32));
  /** What requests were for, in order. */
  readonly purposes: Purpose[] = [];

  private constructor(
    readonly database: Database,
    readonly writer: EventWriter,
    readonly logged: Record<string, unknown>[],
    private readonly folder: string,
  ) {}

  static async start(databaseUrl: string): Promise<CrmWorld> {
    const logged: Record<string, unknown>[] = [];
    const log = createLog('debug', { write: (line) => logged.push(JSON.parse(line) as Record<string, unknown>) });
    const database = new Database(createDataSource(databaseUrl), { runMigrations: true }, log);
    database.start();
    await database.ready;
    const writer = await EventWriter.open(database.source, new SecretBox('ab'.repeat(32)));
    return new CrmWorld(database, writer, logged, await mkdtemp(join(tmpdir(), 'ringline-crm-')));
  }

  async stop(): Promise<void> {
    await this.stopWorkers();
    await this.database.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  async stopWorkers(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
    // The next test's workers would go on with them.
    await this.query('update crm_connection set status = $1', ['paused']);
  }

  query<T>(sql: string, parameters: unknown[] = []): Promise<T> {
    return this.database.source.query(sql, parameters);
  }

  async addAgent(tenantId: string, agent: { name: string; email?: string; endpoint?: string }): Promise<string> {
    const id = newId();
    await this.query(`insert into agent (tenant_id, id, name, email, crm_users) values ($1, $2, $3, $4, '{}')`, [
      tenantId,
      id,
      agent.name,
      agent.email ?? null,
    ]);
    if (agent.endpoint !== undefined) {
      await this.query(
        `insert into device (tenant_id, id, agent_id, kind, pbx_node_id, endpoint, auto_answer, position)
         values ($1, $2, $3, 'sip', $4, $5, 'none', 0)`,
        [tenantId, newId(), id, this.writer.nodeId, agent.endpoint],
      );
    }
    return id;
  }

  async connect(
    tenantId: string,
    options: {
      readonly capabilities?: Partial<CrmCapabilities>;
      /** As an admin would send them. */
      readonly rules?: object;
      readonly status?: string;
    } = {},
  ): Promise<ToyConnection> {
    const id = newId();
    const crm = new ToyCrm();
    this.#toys.set(id, { crm, capabilities: { ...everything, ...options.capabilities } });
    await this.query(
      `insert into crm_connection (tenant_id, id, adapter, name, status, settings, secrets_sealed, door_hash, rules)
       values ($1, $2, 'toy', 'Toy', $3, $4, $5, $6, $7)`,
      [
        tenantId,
        id,
        options.status ?? 'enabled',
        JSON.stringify({ toy: id }),
        this.#secretBox.seal(JSON.stringify({ token: 'secret' }), secretsPlace(tenantId, id)),
        newDoor().hash,
        JSON.stringify(connectionRulesSchema.parse(options.rules ?? {})),
      ],
    );
    await this.query('insert into crm_token (tenant_id, connection_id) values ($1, $2)', [tenantId, id]);
    return { id, tenantId, crm };
  }

  /** A call of a tenant, committed as the ledger does: record and events in one statement. */
  async commit(call: Call, ...types: readonly CallEventType[]): Promise<void> {
    await this.query(
      `insert into call (tenant_id, id, pbx_node_id, boot, direction, status, outcome, remote_e164, agent_ids, started_at, ended_at,
         version, document)
       values ($1, $2, $3, 'boot', $4, $5, $6, $7, '{}', $8, $9, $10, $11)
       on conflict (tenant_id, id) do update set status = excluded.status, outcome = excluded.outcome,
         ended_at = excluded.ended_at, version = excluded.version, document = excluded.document`,
      [
        call.tenantId,
        call.id,
        this.writer.nodeId,
        call.direction,
        call.status,
        call.outcome,
        call.remote.e164,
        call.startedAt,
        call.endedAt,
        call.version,
        JSON.stringify(call),
      ],
    );
    await this.writer.commit(
      types.map((type, index) => {
        const [id, createdAt] = [newId(), new Date()];
        const sequence = call.version - types.length + 1 + index;
        const event = {
          id,
          type,
          timestamp: createdAt.toISOString(),
          tenantId: call.tenantId,
          sequence,
          data: { call },
        };
        return {
          tenantId: call.tenantId,
          id,
          callId: call.id,
          type,
          sequence,
          createdAt,
          document: JSON.stringify(event),
        };
      }),
    );
  }

  /** A stored recording of a committed call, with its file. */
  async addRecording(call: Call): Promise<string> {
    const id = newId();
    const plannedAt = new Date(call.startedAt);
    await this.query(
      `insert into recording (tenant_id, id, call_id, pbx_node_id, planned_at, state, next_attempt_at)
       values ($1, $2, $3, $4, $5, 'removed', now())`,
      [call.tenantId, id, call.id, this.writer.nodeId, plannedAt],
    );
    const [year = '', month = ''] = plannedAt.toISOString().split('-');
    const folder = join(this.folder, call.tenantId, year, month);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `${id}.wav`), 'sound');
    return id;
  }

  worker(options: WorkerOptions = {}): SyncWorker {
    const { source } = this.database;
    const log = createLog('debug', { write: (line) => this.logged.push(JSON.parse(line) as Record<string, unknown>) });
    const clients = new CrmClients(
      new CrmAdapters([toyAdapter(this.#toys)]),
      { send: () => Promise.reject(new Error('a toy needs no network')) },
      this.#secretBox,
      () => ({ read: () => Promise.resolve(null), change: (make) => make(null) }),
      (_id, _limits, purpose) => {
        this.purposes.push(purpose);
        return openGate;
      },
    );
    const audit = new AuditLog(systemClock);
    const store = new SyncStore(source, audit, { ...syncLimits, ...options.store });
    const metrics = new CrmSyncMetrics({ registry: new Registry() });
    const recordings = new RecordingsForCrm(
      this.database,
      new DiskStorage(this.folder),
      this.#secretBox,
      audit,
      'http://ringline.test',
    );
    const sync = new CallSync(
      store,
      clients,
      new UserDirectory(source, log),
      { contacts: new ContactFinder(new ContactIndex(source)), recordings },
      metrics,
      options.clock ?? systemClock,
      log,
      { ...syncTimes, retryMs: () => 20, refusedMs: 20, ...options.times },
    );
    // A step that never ends stands for one whose process was killed: its claim is to run out.
    const limits = { ...workerLimits, sweepMs: 50, renewMs: 3_600_000, stopMs: 2_000, ...options.limits };
    const worker = new SyncWorker(this.database, store, sync, metrics, log, limits);
    this.#ends.push(() => worker.stop());
    worker.start();
    return worker;
  }

  async row(connection: ToyConnection, callId: string): Promise<SyncRow | undefined> {
    const [row] = await this.query<SyncRow[]>(
      `select state, has, wanted, links, attempts, failed_step as "failedStep", failure,
         (extract(epoch from next_attempt_at - now()) * 1000)::int as "waitMs"
       from crm_sync where connection_id = $1 and call_id = $2`,
      [connection.id, callId],
    );
    return row;
  }

  /** Waits until a call's row is in a state, as of the newest version. */
  settled(connection: ToyConnection, callId: string, state: SyncRow['state'] = 'done'): Promise<SyncRow> {
    return waitFor(
      async () => {
        const row = await this.row(connection, callId);
        return row?.state === state && (state !== 'done' || row.has >= row.wanted) ? row : undefined;
      },
      { what: `the sync of a call to be ${state}`, timeoutMs: 15_000 },
    );
  }
}

/** A call with the versions that a test makes of it. */
export function callOf(tenantId: string, changes: Partial<Call> = {}): Call {
  return callDocument({ tenantId, ...changes });
}

/** The next version of it. */
export function next(call: Call, changes: Partial<Call>, versions = 1): Call {
  return { ...call, ...changes, version: call.version + versions };
}

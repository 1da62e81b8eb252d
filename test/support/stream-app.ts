import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { waitFor } from '../../lab/wait-for.js';
import { CallRow } from '../../src/calls/ledger/call.entity.js';
import type { AfterCommit, CommittedChange } from '../../src/calls/after-commit.js';
import type { Call } from '../../src/calls/domain/call.js';
import type { CallEventType } from '../../src/calls/domain/call-event.js';
import { Agent } from '../../src/agents/agent.entity.js';
import { Clock } from '../../src/common/clock.js';
import { CommonModule } from '../../src/common/common.module.js';
import { newId } from '../../src/common/ids.js';
import { createLog } from '../../src/common/logger.js';
import { ConfigModule } from '../../src/config/config.module.js';
import { readConfig } from '../../src/config/config.js';
import { DatabaseModule } from '../../src/database/database.module.js';
import { Database } from '../../src/database/database.js';
import { HttpModule } from '../../src/http/http.module.js';
import { setUpHttp } from '../../src/http/set-up-http.js';
import { Metrics } from '../../src/metrics/metrics.js';
import { MetricsModule } from '../../src/metrics/metrics.module.js';
import { PbxNode } from '../../src/pbx-nodes/pbx-node.entity.js';
import { ScreenPopModule } from '../../src/screen-pop/screen-pop.module.js';
import { ScreenPop } from '../../src/screen-pop/screen-pop.js';
import { StreamLimits, streamLimits } from '../../src/screen-pop/stream-limits.js';
import { StreamUpkeep } from '../../src/screen-pop/stream-upkeep.js';
import { hashOfKey } from '../../src/tenancy/key-secret.js';
import { ApiKey } from '../../src/tenancy/api-key.entity.js';
import { BootstrapKey } from '../../src/tenancy/bootstrap-key.js';
import { TenancyModule } from '../../src/tenancy/tenancy.module.js';
import { createTenantSchema } from '../../src/tenancy/tenant.schema.js';
import { Tenant } from '../../src/tenancy/tenant.entity.js';
import { committedChange } from './call-document.js';
import { EventStream } from './event-stream.js';

type Changeable<T> = { -readonly [K in keyof T]: T[K] };
export type TestTenant = { readonly id: string; readonly keyId: string; readonly key: string };

/** The modules of the stream on a real database, with a clock and limits that a test can turn. */
export class StreamApp {
  readonly #open: EventStream[] = [];

  private constructor(
    private readonly app: NestExpressApplication,
    private readonly dataDir: string,
    readonly url: string,
    readonly limits: Changeable<StreamLimits>,
    readonly clock: { aheadMs: number },
    /** Lines of the log, parsed. */
    readonly log: readonly Record<string, unknown>[],
    private readonly nodeId: string,
  ) {}

  static async start(databaseUrl: string, env: Readonly<Record<string, string>> = {}): Promise<StreamApp> {
    const dataDir = await mkdtemp(join(tmpdir(), 'stream-'));
    const config = {
      ...readConfig({
        NODE_ENV: 'test',
        DATABASE_URL: databaseUrl,
        DATA_DIR: dataDir,
        BOOTSTRAP_API_KEY: `rl_${'b'.repeat(43)}`,
        PUBLIC_URL: 'http://ringline.test',
        CORS_ORIGINS: 'https://crm.test',
        ...env,
      }),
      metrics: { host: '127.0.0.1', port: 0 },
    };
    const limits = { ...streamLimits };
    const clock = { aheadMs: 0, now: (): number => Date.now() + clock.aheadMs };
    const log: Record<string, unknown>[] = [];
    const testing = await Test.createTestingModule({
      imports: [
        ConfigModule.of(config),
        CommonModule.of(createLog('debug', { write: (line) => log.push(JSON.parse(line)) })),
        DatabaseModule,
        MetricsModule,
        HttpModule,
        TenancyModule,
        ScreenPopModule,
      ],
    })
      .overrideProvider(StreamLimits)
      .useValue(limits)
      .overrideProvider(Clock)
      .useValue(clock)
      .compile();
    const app = testing.createNestApplication<NestExpressApplication>({ bodyParser: false, logger: false });
    setUpHttp(app, config);
    await app.listen(0, '127.0.0.1');
    await waitUntilKeysAreKnown(app);
    const nodeId = newId();
    await app.get(Database).source.manager.insert(PbxNode, {
      id: nodeId,
      name: `pbx-${nodeId}`,
      ariUrl: 'http://127.0.0.1:1/ari',
      username: 'ringline',
      passwordSealed: '',
      app: 'ringline',
      observe: false,
      tenantIds: [],
      defaultTenantId: null,
      phoneTransfers: 'auto',
      extensionContexts: [],
    });
    const { port } = app.getHttpServer().address() as AddressInfo;
    return new StreamApp(app, dataDir, `http://127.0.0.1:${port}`, limits, clock, log, nodeId);
  }

  async stop(): Promise<void> {
    for (const stream of this.#open) stream.close();
    await this.app.close();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  query<T>(sql: string, parameters: unknown[]): Promise<T> {
    return this.app.get(Database).source.query(sql, parameters);
  }

  async addTenant(): Promise<TestTenant> {
    const { manager } = this.app.get(Database).source;
    const [id, keyId] = [newId(), newId()];
    const key = `rl_${keyId}`;
    await manager.insert(Tenant, { id, ...createTenantSchema.parse({ name: 'Acme', region: 'DE' }) });
    await manager.insert(ApiKey, {
      id: keyId,
      tenantId: id,
      name: 'crm',
      scopes: ['stream:issue'],
      secretHash: hashOfKey(key),
      revokedAt: null,
    });
    return { id, keyId, key };
  }

  async addAgent(tenant: TestTenant): Promise<string> {
    const id = newId();
    await this.app
      .get(Database)
      .source.manager.insert(Agent, { tenantId: tenant.id, id, name: 'Alice', email: null, crmUsers: {} });
    return id;
  }

  /** Stores a call as its newest record, as the ledger does. */
  async store(call: Call): Promise<Call> {
    const document = { ...call, pbxNodeId: this.nodeId };
    await this.app.get(Database).source.manager.upsert(
      CallRow,
      {
        tenantId: call.tenantId,
        id: call.id,
        pbxNodeId: this.nodeId,
        boot: 'boot',
        direction: call.direction,
        status: call.status,
        outcome: call.outcome,
        remoteE164: call.remote.e164,
        agentIds: [...new Set(call.participants.flatMap(({ agentId }) => agentId ?? []))],
        startedAt: new Date(call.startedAt),
        endedAt: call.endedAt === null ? null : new Date(call.endedAt),
        version: call.version,
        document,
      },
      ['tenantId', 'id'],
    );
    return document;
  }

  /** Tells the stream of a commit, as the ledger does after it. */
  commit(...changes: CommittedChange[]): void {
    (this.app.get(ScreenPop) satisfies AfterCommit).onCommit(changes);
  }

  /** Stores a call and tells the stream of it. */
  async happen(call: Call, type: CallEventType | null): Promise<Call> {
    const stored = await this.store(call);
    this.commit(committedChange(stored, type));
    return stored;
  }

  checkStreams(): Promise<void> {
    return this.app.get(StreamUpkeep).check();
  }

  metrics(): Promise<string> {
    return this.app.get(Metrics).registry.metrics();
  }

  fetch(path: string, init: RequestInit & { readonly key?: string } = {}): Promise<Response> {
    const { key, ...rest } = init;
    const headers = new Headers(rest.headers);
    if (key) headers.set('Authorization', `Bearer ${key}`);
    if (rest.body) headers.set('Content-Type', 'application/json');
    return fetch(`${this.url}${path}`, { ...rest, headers });
  }

  /** A token of the agent; `origin` null asks for one without. */
  async issue(tenant: TestTenant, agentId: string, origin?: string): Promise<string> {
    const answer = await this.fetch('/v1/stream-tokens', {
      method: 'POST',
      key: tenant.key,
      body: JSON.stringify({ agentId, origin }),
    });
    if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`);
    return ((await answer.json()) as { token: string }).token;
  }

  async open(token: string, headers: Readonly<Record<string, string>> = {}): Promise<EventStream> {
    const stream = await EventStream.open(`${this.url}/v1/stream?token=${encodeURIComponent(token)}`, headers);
    this.#open.push(stream);
    return stream;
  }
}

/** Keys are looked up once the first one is stored, which is the last step of the start. */
async function waitUntilKeysAreKnown(app: NestExpressApplication): Promise<void> {
  await app.get(Database).ready;
  await waitFor(() => isDone(app.get(BootstrapKey)), {
    what: 'the first API key',
    timeoutMs: 20_000,
  });
}

function isDone(bootstrap: BootstrapKey): boolean {
  try {
    bootstrap.assertDone();
    return true;
  } catch {
    return false;
  }
}

import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { DataSource } from 'typeorm';
import { waitFor } from '../../lab/wait-for.js';
import { newId } from '../../src/common/ids.js';
import type { Log } from '../../src/common/logger.js';
import { readConfig } from '../../src/config/config.js';
import { createApp } from '../../src/create-app.js';
import { Database } from '../../src/database/database.js';
import type { Scope } from '../../src/tenancy/scopes.js';
import { noLog } from './no-log.js';

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed when it is JSON, else undefined. Any: a test reads what it expects, and fails where it is not. */
  readonly body: any;
  readonly text: string;
};

export type RequestOptions = {
  /** Default: the platform key. Null: none. */
  readonly key?: string | null;
  /** For the header `Ringline-Tenant`. */
  readonly tenant?: string;
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

export type TestTenant = { readonly id: string; readonly key: string };

/** Ringline as `main.ts` runs it, on a database of a test, without PBX nodes and without Redis. */
export class ApiWorld {
  static readonly platformKey = `rl_${'p'.repeat(43)}`;

  private constructor(
    readonly app: NestExpressApplication,
    readonly dataDir: string,
    readonly url: string,
  ) {}

  /** Starts it and waits until it can be used, unless `wait` is false. */
  static async start(
    databaseUrl: string,
    options: { readonly env?: Readonly<Record<string, string>>; readonly wait?: boolean; readonly log?: Log } = {},
  ): Promise<ApiWorld> {
    const dataDir = options.env?.['DATA_DIR'] ?? (await mkdtemp(join(tmpdir(), 'ringline-api-')));
    const config = {
      ...readConfig({
        NODE_ENV: 'test',
        DATABASE_URL: databaseUrl,
        REDIS_URL: 'redis://127.0.0.1:1',
        DATA_DIR: dataDir,
        BOOTSTRAP_API_KEY: ApiWorld.platformKey,
        PUBLIC_URL: 'http://ringline.test',
        ...options.env,
      }),
      metrics: { host: '127.0.0.1', port: 0 },
    };
    const app = await createApp(config, { log: options.log ?? noLog });
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    const world = new ApiWorld(app, dataDir, `http://127.0.0.1:${port}`);
    if (options.wait !== false) await world.ready();
    return world;
  }

  /** Settles when the first key is stored, which is the last step of the start. */
  async ready(): Promise<void> {
    await waitFor(
      async () => (await this.request('GET', '/v1/tenants', { key: 'x'.repeat(32) })).status === 401 || undefined,
      {
        what: 'Ringline to be ready',
        timeoutMs: 50_000,
      },
    );
  }

  async stop(): Promise<void> {
    await this.app.close();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  get source(): DataSource {
    return this.app.get(Database).source;
  }

  async request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    const { key = ApiWorld.platformKey, tenant, body, headers } = options;
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(key !== null && { authorization: `Bearer ${key}` }),
        ...(tenant !== undefined && { 'ringline-tenant': tenant }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
  }

  /** A request that has to succeed; answers its body. */
  async ok(method: string, path: string, options: RequestOptions = {}): Promise<any> {
    const answer = await this.request(method, path, options);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  }

  /** A tenant and a key of it. */
  async addTenant(scopes: readonly Scope[] = ['config']): Promise<TestTenant> {
    const { id } = await this.ok('POST', '/v1/tenants', { body: { name: 'Acme', region: 'DE' } });
    return { id, key: await this.addKey(id, scopes) };
  }

  async addKey(tenantId: string | null, scopes: readonly Scope[], pbxNodeId: string | null = null): Promise<string> {
    const key = await this.ok('POST', '/v1/api-keys', { body: { name: 'test', scopes, tenantId, pbxNodeId } });
    return key.secret;
  }

  async addNode(changes: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const node = { name: `pbx-${newId()}`, ariUrl: 'http://127.0.0.1:1/ari', username: 'u', password: 'p', ...changes };
    const { id } = await this.ok('POST', '/v1/pbx-nodes', { body: node });
    return id;
  }
}

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { keepProcess, type KeptProcess } from './kept-process.js';
import { projectRoot } from './project-root.js';
import type { Lab } from './start-lab.js';
import { waitFor } from './wait-for.js';

export interface RinglineOptions {
  /** Settings besides those that the lab gives. */
  readonly env?: Readonly<Record<string, string>>;
  /** A database of its own is made unless one is given. */
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
  /** Names its folder and log; needed where a lab runs several. */
  readonly name?: string;
  /** Compiled file to run below the build folder. Default: the service itself. */
  readonly entry?: string;
  /** Options of Node itself, such as `--cpu-prof`. */
  readonly nodeOptions?: readonly string[];
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Documents of the API are checked by the tests that read them.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

/** The service itself, as its own process, and a client that holds its platform key. */
export interface LabRingline {
  readonly url: string;
  readonly metricsUrl: string;
  readonly apiKey: string;
  readonly databaseUrl: string;
  readonly logFile: string;
  readonly pid: number;
  /** One request. `tenantId` is sent as the tenant a platform key acts for. */
  call(method: string, path: string, options?: RequestOptions): Promise<Answer>;
  log(): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** Asks it to end, and waits until it has. Gives the exit code. */
  stop(): Promise<number>;
  /** `kill -9`, and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again, with the same settings. Does not wait until it is ready. */
  start(): Promise<void>;
  /** Waits until it answers, its first key too. */
  ready(): Promise<void>;
}

export interface RequestOptions {
  readonly tenantId?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly apiKey?: string | null;
}

const run = promisify(execFile);
let folder: Promise<string> | undefined;

/** The folder with the compiled sources. */
export function compiledFolder(): Promise<string> {
  folder ??= run(process.execPath, [join(projectRoot, 'scripts/compile.mjs')]).then(({ stdout }) => stdout.trim());
  return folder;
}

/** Starts the service on ports of its own, against the lab's PostgreSQL and Redis. It listens when this settles. */
export async function startRingline(lab: Lab, options: RinglineOptions = {}): Promise<LabRingline> {
  const name = options.name ?? 'ringline';
  const dir = join(lab.dir, name);
  await mkdir(dir, { recursive: true });
  const [port, metricsPort] = [await lab.ports.next(), await lab.ports.next()];
  const databaseUrl = options.databaseUrl ?? (await lab.postgres.createDatabase());
  const apiKey = `rl_${randomBytes(32).toString('base64url')}`;
  const url = `http://127.0.0.1:${port}`;
  const logFile = join(dir, 'log');
  const env = {
    PATH: process.env.PATH ?? '',
    HOST: '127.0.0.1',
    PORT: String(port),
    METRICS_LISTEN: `127.0.0.1:${metricsPort}`,
    DATABASE_URL: databaseUrl,
    REDIS_URL: options.redisUrl ?? lab.redis.url,
    DATA_DIR: join(dir, 'data'),
    BOOTSTRAP_API_KEY: apiKey,
    EGRESS_ALLOW: '127.0.0.0/8',
    ...options.env,
  };
  const script = join(await compiledFolder(), options.entry ?? 'src/main.js');
  let running: KeptProcess;
  const start = async (): Promise<void> => {
    running = await keepProcess(process.execPath, ['--enable-source-maps', ...(options.nodeOptions ?? []), script], {
      logFile,
      aliveFile: '-',
      cwd: dir,
      env,
      graceSeconds: 35,
    });
  };
  const isUp = async (path: string): Promise<boolean> => {
    if (running.hasExited()) throw new Error(`Ringline ended:\n${await readFile(logFile, 'utf8')}`);
    return (await fetch(url + path).catch(() => null))?.ok ?? false;
  };
  await start();
  await waitFor(() => isUp('/health/live'), { what: 'Ringline to listen', timeoutMs: 60_000 });

  return {
    url,
    metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
    apiKey,
    databaseUrl,
    logFile,
    get pid() {
      return running.pid;
    },
    call: (method, path, request = {}) => callApi(url, apiKey, method, path, request),
    log: () => readFile(logFile, 'utf8'),
    signal: (signal) => running.signal(signal),
    stop: async () => {
      await running.stop();
      return running.exited;
    },
    kill: async () => {
      running.signal('SIGKILL');
      await running.exited;
    },
    start,
    ready: async () => {
      await waitFor(
        async () =>
          (await isUp('/health/ready')) && (await callApi(url, apiKey, 'GET', '/v1/tenants', {})).status === 200,
        {
          what: 'Ringline to be ready',
          timeoutMs: 60_000,
        },
      );
    },
  };
}

async function callApi(
  url: string,
  apiKey: string,
  method: string,
  path: string,
  request: RequestOptions,
): Promise<Answer> {
  const { tenantId, body, headers } = request;
  const key = request.apiKey === undefined ? apiKey : request.apiKey;
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...(tenantId !== undefined && { 'ringline-tenant': tenantId }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}

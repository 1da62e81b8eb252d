import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { compiledFolder } from '../../lab/ringline.js';
import { waitFor } from '../../lab/wait-for.js';

/** Nobody listens on port 1, so every part that Ringline depends on is missing. */
const missing = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/ringline', REDIS_URL: 'redis://127.0.0.1:1' };

let main: string;
let dataDir: string;
const running: ChildProcess[] = [];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'ringline-main-'));
  main = join(await compiledFolder(), 'src/main.js');
});
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

type Started = { readonly child: ChildProcess; readonly output: () => string; readonly exit: Promise<number | null> };

function start(env: Readonly<Record<string, string>>): Started {
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exit = once(child, 'close').then(([code]) => code as number | null);
  return { child, output: () => output, exit };
}

async function startListening(env: Readonly<Record<string, string>> = {}): Promise<Started & { url: string }> {
  const [port, metrics] = [await freePort(), await freePort()];
  const started = start({
    ...missing,
    DATA_DIR: dataDir,
    PORT: String(port),
    METRICS_LISTEN: `127.0.0.1:${metrics}`,
    ...env,
  });
  const url = `http://127.0.0.1:${port}`;
  await waitFor(
    async () =>
      fetch(`${url}/health/live`).then(
        ({ ok }) => ok || undefined,
        () => undefined,
      ),
    {
      what: 'Ringline to listen',
      timeoutMs: 50_000,
    },
  );
  return { ...started, url };
}

// Each test loads the whole service, which takes long where other work keeps the machine busy.
describe('the process', { timeout: 120_000 }, () => {
  it('names every wrong setting at once and exits with 1', async () => {
    const { exit, output } = start({ PORT: 'x', ROLE: 'api', SECRET_KEY: 'short' });
    expect(await exit).toBe(1);
    expect(output()).toMatch(/^Wrong settings:\n/);
    for (const name of ['PORT', 'ROLE', 'SECRET_KEY', 'DATABASE_URL']) expect(output()).toContain(`  ${name}: `);
  });

  it('refuses production without a first key, in a sentence', async () => {
    const { exit, output } = start({
      ...missing,
      NODE_ENV: 'production',
      SECRET_KEY: 'a'.repeat(64),
      DATA_DIR: join(dataDir, 'none'),
    });
    expect(await exit).toBe(1);
    expect(output()).toContain('No first API key: set BOOTSTRAP_API_KEY');
  });

  it('names the setting when its address is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const taken = String((server.address() as AddressInfo).port);
    const other = String(await freePort());
    try {
      const http = start({ ...missing, DATA_DIR: dataDir, PORT: taken, METRICS_LISTEN: `127.0.0.1:${other}` });
      expect(await http.exit).toBe(1);
      expect(http.output()).toContain('EADDRINUSE');
      const metrics = start({ ...missing, DATA_DIR: dataDir, PORT: other, METRICS_LISTEN: `127.0.0.1:${taken}` });
      expect(await metrics.exit).toBe(1);
      expect(metrics.output()).toContain(`METRICS_LISTEN 127.0.0.1:${taken} cannot be used`);
    } finally {
      server.close();
    }
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('listens without any other part, and ends on %s with 0', async (signal) => {
    const { child, exit, output, url } = await startListening();
    const ready = await fetch(`${url}/health/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ status: 'down' });
    child.kill(signal);
    expect(await exit).toBe(0);
    expect(output()).not.toMatch(/Unhandled|Deprecation/);
    for (const line of output().trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg');
  });

  it('as a worker answers for its health alone', async () => {
    const { url, child, exit } = await startListening({ ROLE: 'worker' });
    const parts = ((await (await fetch(`${url}/health/ready`)).json()) as { parts: { name: string }[] }).parts;
    expect(parts.map(({ name }) => name)).toEqual(expect.arrayContaining(['database', 'redis']));
    for (const path of ['/v1/tenants', '/openapi.json', '/docs']) expect((await fetch(url + path)).status).toBe(404);
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
  });
});

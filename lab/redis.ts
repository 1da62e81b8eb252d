import { connect } from 'node:net';
import { join } from 'node:path';

import type { UnpackedPackages } from './debian-packages.js';
import { keepProcess, type KeptProcess } from './kept-process.js';
import { onPath } from './on-path.js';
import { waitFor } from './wait-for.js';

export interface LabRedis {
  readonly url: string;
  readonly version: string;
  /** Process id of the server; undefined when REDIS_URL named one that is not ours. */
  readonly pid: number | undefined;
  /** kill -9. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

export interface StartRedisOptions {
  readonly dir: string;
  readonly port: number;
  readonly aliveFile: string;
  /** Asked for only when the host has no redis-server. */
  readonly packages: () => Promise<UnpackedPackages>;
}

type Ended = { end(): Promise<void> };

export async function useGivenRedis(url: string): Promise<LabRedis & Ended> {
  const notOurs = () => Promise.reject(new Error('REDIS_URL names a server that the lab does not own: unset it'));
  const { hostname, port } = new URL(url);
  const version = await serverVersion(hostname, Number(port || 6379)).catch(() => 'unknown');
  return { url, version, pid: undefined, kill: notOurs, start: notOurs, end: () => Promise.resolve() };
}

export async function startRedis(options: StartRedisOptions): Promise<LabRedis & Ended> {
  const { dir, port, aliveFile } = options;
  const args = Object.entries({
    port,
    bind: '127.0.0.1',
    dir,
    // As docs and compose say: what is queued survives a restart, and nothing is thrown away when memory is short.
    appendonly: 'yes',
    save: '',
    'maxmemory-policy': 'noeviction',
  }).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const ofHost = onPath('redis-server');
  const program = ofHost ? { command: ofHost, args } : (await options.packages()).command('usr/bin/redis-server', args);
  const logFile = join(dir, 'redis.log');

  const start = async (): Promise<KeptProcess> => {
    const kept = await keepProcess(program.command, program.args, { logFile, aliveFile });
    await waitFor(
      async () => {
        if (kept.hasExited()) throw new Error(`Redis did not start: see ${logFile}`);
        return serverVersion('127.0.0.1', port).catch(() => undefined);
      },
      { what: `Redis to answer (${logFile})`, timeoutMs: 20_000 },
    );
    return kept;
  };

  let kept = await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    version: await serverVersion('127.0.0.1', port),
    get pid() {
      return kept.pid;
    },
    async kill() {
      kept.signal('SIGKILL');
      await kept.exited;
    },
    async start() {
      if (kept.hasExited()) kept = await start();
    },
    end: () => kept.stop(),
  };
}

/** Asks INFO in Redis' own protocol; rejects while the server is not there or still loading. */
function serverVersion(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const socket = connect({ host, port }, () => socket.write('INFO server\r\n'));
    socket.setTimeout(2_000, () => socket.destroy(new Error('no answer from Redis')));
    socket.on('data', (chunk) => {
      said += String(chunk);
      const version = /redis_version:(\S+)/.exec(said)?.[1];
      if (version) {
        socket.destroy();
        resolve(version);
      } else if (said.startsWith('-')) {
        socket.destroy(new Error(said.trim()));
      }
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('Redis closed the connection')));
  });
}

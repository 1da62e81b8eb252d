import { spawn } from 'node:child_process';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { AsteriskVersion, Pbx } from './asterisk-configuration.js';
import { startAsterisk, type LabAsterisk } from './asterisk.js';
import { baresipIn, type Baresip } from './baresip.js';
import { bullseyePackages } from './debian-bullseye.js';
import type { Report, UnpackedPackages } from './debian-packages.js';
import { sidPackages } from './debian-sid.js';
import { startFaultProxy, type FaultProxy } from './fault-proxy.js';
import { claimPorts, type LabPorts } from './ports.js';
import { startPostgres, useGivenPostgres, type LabPostgres } from './postgres.js';
import { projectRoot } from './project-root.js';
import { sippIn, type Sipp } from './sipp.js';
import { startRedis, useGivenRedis, type LabRedis } from './redis.js';

export interface LabOptions {
  /** Its branch: 22 unless told; false leaves it out. */
  readonly asterisk?: AsteriskVersion | false;
  /** Whose dial plan it has: "ringline" unless told. */
  readonly pbx?: Pbx;
  /** Whether the ordinary PBX has res_stasis_device_state loaded, as FreePBX does; false unless told. */
  readonly deviceStates?: boolean;
  /** false leaves it out; "own" ignores DATABASE_URL, for tests that stop the server. */
  readonly postgres?: boolean | 'own';
  /** false leaves it out; "own" ignores REDIS_URL, for tests that stop the server. */
  readonly redis?: boolean | 'own';
  /** Gets a line whenever something takes long or is odd; standard error unless given. */
  readonly report?: Report;
}

export interface Lab {
  /** Everything of this lab lies here and is removed at its end, unless LAB_KEEP=1. */
  readonly dir: string;
  readonly ports: LabPorts;
  readonly asterisk: LabAsterisk;
  readonly postgres: LabPostgres;
  readonly redis: LabRedis;
  /** Trunks, customers, and many phones at once; they need Asterisk. */
  readonly sipp: Sipp;
  /** Phones that hold, transfer and press keys; they need Asterisk. */
  readonly baresip: Baresip;
  /** A proxy in front of a URL or "host:port", ended with the lab; see fault-proxy.ts. */
  proxy(target: string): Promise<FaultProxy>;
  /** Ends all it started and removes its folder. Can be called twice. */
  stop(): Promise<void>;
}

/**
 * Starts a real Asterisk, PostgreSQL and Redis on ports and folders of their own. Labs can run side by side. Whatever
 * it starts ends with this process, also when that is killed.
 */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const report = options.report ?? ((line: string) => console.error(`lab: ${line}`));
  const dir = await mkdtemp(join(shortTemporaryFolder(), 'ringline-lab-'));
  const aliveFile = join(dir, 'alive');
  const sweeper = startSweeper(dir, aliveFile);
  const ends: Array<() => Promise<void>> = [];
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= (async () => {
      await Promise.allSettled(ends.map((end) => end()));
      await sweeper.sweep();
    })();
    return stopping;
  };

  try {
    const ports = await claimPorts();
    ends.push(() => ports.release());
    // Two parts may want it, and it is looked up once.
    let sid: Promise<UnpackedPackages> | undefined;
    const packages = () => (sid ??= sidPackages(report));
    const folder = async (name: string) => {
      const path = join(dir, name);
      await mkdir(path);
      return path;
    };
    const started = async <T extends { stop(): Promise<void> } | { end(): Promise<void> }>(part: Promise<T>) => {
      const running = await part;
      ends.push(() => ('end' in running ? running.end() : running.stop()));
      return running;
    };

    const parts = await Promise.allSettled([
      options.asterisk === false
        ? undefined
        : folder('asterisk').then(async (path) =>
            started(
              startAsterisk({
                packages: await (options.asterisk === 16 ? bullseyePackages(report) : packages()),
                asterisk: options.asterisk || 22,
                pbx: options.pbx ?? 'ringline',
                deviceStates: options.deviceStates ?? false,
                dir: path,
                ports,
                aliveFile,
                report,
              }),
            ),
          ),
      options.postgres === false
        ? undefined
        : folder('postgres').then((path) => started(anyPostgres(options, path, ports, aliveFile, report))),
      options.redis === false
        ? undefined
        : folder('redis').then((path) => started(anyRedis(options, path, ports, aliveFile, packages))),
    ]);
    for (const part of parts) if (part.status === 'rejected') throw part.reason;
    const [asterisk, postgres, redis] = parts.map((part) => (part.status === 'fulfilled' ? part.value : undefined)) as [
      LabAsterisk | undefined,
      LabPostgres | undefined,
      LabRedis | undefined,
    ];
    const phones = asterisk && { packages: await packages(), ports, sipPort: asterisk.sipPort, aliveFile };
    const sipp = phones && sippIn({ ...phones, dir: join(dir, 'sipp') });
    if (sipp) ends.unshift(() => sipp.stopAll());
    const baresip = phones && baresipIn({ ...phones, dir: join(dir, 'baresip') });
    if (baresip) ends.unshift(() => baresip.stopAll());
    return {
      dir,
      ports,
      get sipp() {
        return sipp ?? leftOut('asterisk');
      },
      get baresip() {
        return baresip ?? leftOut('asterisk');
      },
      get asterisk() {
        return asterisk ?? leftOut('asterisk');
      },
      get postgres() {
        return postgres ?? leftOut('postgres');
      },
      get redis() {
        return redis ?? leftOut('redis');
      },
      async proxy(target) {
        const proxy = await startFaultProxy(target);
        ends.unshift(() => proxy.stop());
        return proxy;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function anyPostgres(options: LabOptions, dir: string, ports: LabPorts, aliveFile: string, report: Report) {
  const given = process.env['DATABASE_URL'];
  if (given && options.postgres !== 'own') return useGivenPostgres(given);
  return startPostgres({ dir, port: ports.postgres, aliveFile, report });
}

function anyRedis(
  options: LabOptions,
  dir: string,
  ports: LabPorts,
  aliveFile: string,
  packages: () => Promise<UnpackedPackages>,
) {
  const given = process.env['REDIS_URL'];
  if (given && options.redis !== 'own') return useGivenRedis(given);
  return startRedis({ dir, port: ports.redis, aliveFile, packages });
}

function leftOut(part: string): never {
  throw new Error(`this lab was started without ${part}`);
}

/** Asterisk's control socket lies in the lab's folder, and the path of a socket has at most 107 characters. */
function shortTemporaryFolder(): string {
  return tmpdir().length > 60 ? '/tmp' : tmpdir();
}

/** Removes the lab's folder after its last process ended, also when we are killed (see sweeper.sh). */
function startSweeper(dir: string, aliveFile: string): { sweep(): Promise<void> } {
  const sweeper = spawn('/bin/sh', [join(projectRoot, 'lab', 'sweeper.sh'), dir, aliveFile], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  });
  const keep = process.env['LAB_KEEP'] === '1';
  if (keep) sweeper.stdin.write('keep\n');
  const exited = new Promise<void>((resolve) => {
    sweeper.once('exit', () => resolve());
    sweeper.once('error', () => resolve());
  });
  sweeper.stdin.on('error', () => undefined);
  return {
    async sweep() {
      sweeper.stdin.end();
      await exited;
    },
  };
}

import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { readCel, type CelRow } from './cel.js';
import type { Report, UnpackedPackages } from './debian-packages.js';
import { fillPlaceholders } from './fill-placeholders.js';
import { keepProcess, type KeptProcess } from './kept-process.js';
import type { LabPorts } from './ports.js';
import { projectRoot } from './project-root.js';
import { runProgram } from './run-program.js';
import { waitFor } from './wait-for.js';

/** Older ones have known security holes; see docs on supported versions. */
const OLDEST_ASTERISK = [22, 10, 1] as const;

export interface LabAsterisk {
  /** For example "22.10.1". */
  readonly version: string;
  /** For example "http://127.0.0.1:20001/ari". */
  readonly ariUrl: string;
  readonly username: string;
  readonly password: string;
  readonly sipPort: number;
  /** Of the running process; another one after a restart. */
  readonly pid: number;
  readonly logFile: string;
  readonly celFile: string;
  /** Runs a command of Asterisk's command line and gives what it prints. */
  cli(command: string): Promise<string>;
  cel(): Promise<CelRow[]>;
  /** Sends a signal; for SIGKILL and SIGTERM settles when the process is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same folders and ports, after stopping it if it still runs. */
  restart(): Promise<void>;
}

export interface StartAsteriskOptions {
  readonly packages: UnpackedPackages;
  readonly dir: string;
  readonly ports: LabPorts;
  readonly aliveFile: string;
  readonly report: Report;
}

export async function startAsterisk(options: StartAsteriskOptions): Promise<LabAsterisk & { stop(): Promise<void> }> {
  const { packages, dir, ports, aliveFile } = options;
  const version = upstreamVersion(packages.version);
  await warnOfSlowNames(options.report);
  const password = randomBytes(18).toString('base64url');
  await renderConfiguration(dir, packages, ports, password);

  const configuration = join(dir, 'etc', 'asterisk.conf');
  const asterisk = (...args: string[]) => packages.command('usr/sbin/asterisk', ['-C', configuration, ...args]);
  const logFile = join(dir, 'log', 'full');
  const celFile = join(dir, 'log', 'cel-custom', 'ringline.csv');
  const console = join(dir, 'console.log');

  const cli = async (command: string) => {
    const remote = asterisk('-rx', command);
    const result = await runProgram(remote.command, remote.args, { timeoutMs: 10_000 });
    if (result.code !== 0) throw new Error(`asterisk -rx '${command}': ${result.stdout}${result.stderr}`);
    return result.stdout;
  };

  const start = async (): Promise<KeptProcess> => {
    const program = asterisk('-f');
    const kept = await keepProcess(program.command, program.args, { logFile: console, aliveFile, graceSeconds: 3 });
    await waitFor(
      async () => {
        if (kept.hasExited()) throw new Error(`Asterisk did not start:\n${await lastLines(logFile, console)}`);
        return (await cli('core waitfullybooted').catch(() => '')).includes('fully booted');
      },
      { what: `Asterisk to boot (${logFile})`, timeoutMs: 60_000 },
    );
    return kept;
  };

  let kept = await start();
  return {
    version,
    ariUrl: `http://127.0.0.1:${ports.http}/ari`,
    username: 'ringline',
    password,
    sipPort: ports.sip,
    get pid() {
      return kept.pid;
    },
    logFile,
    celFile,
    cli,
    cel: () => readCel(celFile),
    async kill(signal) {
      kept.signal(signal);
      if (signal === 'SIGKILL' || signal === 'SIGTERM') await kept.exited;
    },
    async restart() {
      await kept.stop();
      kept = await start();
    },
    stop: () => kept.stop(),
  };
}

/** "1:22.10.1+dfsg+~cs6" -> "22.10.1"; throws for one that is too old. */
export function upstreamVersion(debianVersion: string): string {
  const version = /^(?:\d+:)?(\d+\.\d+\.\d+)/.exec(debianVersion)?.[1] ?? debianVersion;
  const found = version.split('.').map(Number);
  for (const [index, oldest] of OLDEST_ASTERISK.entries()) {
    const part = found[index] ?? 0;
    if (part > oldest) break;
    if (part < oldest) {
      throw new Error(
        `the mirror's Asterisk is ${version}, and the lab needs ${OLDEST_ASTERISK.join('.')} or newer: ` +
          'name a mirror that is up to date with LAB_DEBIAN_MIRROR',
      );
    }
  }
  return version;
}

async function renderConfiguration(
  dir: string,
  packages: UnpackedPackages,
  ports: LabPorts,
  password: string,
): Promise<void> {
  const etc = join(dir, 'etc');
  for (const folder of ['etc', 'var/keys', 'spool', 'run', 'log/cel-custom']) {
    await mkdir(join(dir, folder), { recursive: true });
  }
  await cp(join(packages.root, 'var/lib/asterisk'), join(dir, 'var'), { recursive: true });
  await cp(join(projectRoot, 'asterisk/lab'), etc, { recursive: true });
  await cp(join(projectRoot, 'asterisk/ringline'), join(etc, 'ringline'), { recursive: true });
  const values: Record<string, string> = {
    ETC_DIR: etc,
    MODULE_DIR: join(packages.libraries, 'asterisk/modules'),
    DATA_DIR: join(packages.root, 'usr/share/asterisk'),
    VAR_DIR: join(dir, 'var'),
    SPOOL_DIR: join(dir, 'spool'),
    RUN_DIR: join(dir, 'run'),
    LOG_DIR: join(dir, 'log'),
    ARI_PASSWORD: password,
    HTTP_ADDRESS: '127.0.0.1',
    HTTP_PORT: String(ports.http),
    SIP_ADDRESS: '127.0.0.1',
    SIP_PORT: String(ports.sip),
    TRUNK_HOST: '127.0.0.1',
    TRUNK_PORT: String(ports.trunk),
    TRUNK2_PORT: String(ports.trunk2),
    TRUNK_DOWN_PORT: String(ports.trunkDown),
  };
  for (const name of await readdir(etc, { recursive: true })) {
    if (!name.endsWith('.conf')) continue;
    const file = join(etc, name);
    await writeFile(file, fillPlaceholders(await readFile(file, 'utf8'), values, name), { mode: 0o600 });
  }
}

/** Asterisk looks up the host's own name on each call: where that stalls, so does every call. */
async function warnOfSlowNames(report: Report): Promise<void> {
  const name = hostname();
  const { code } = await runProgram('getent', ['hosts', name], { timeoutMs: 2_000 });
  if (code !== 0) {
    report(
      `warning: the name of this machine (${name}) does not resolve, calls will crawl: add "127.0.0.1 ${name}" to /etc/hosts`,
    );
  }
}

async function lastLines(...files: string[]): Promise<string> {
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  return texts.map((text) => text.trim().split('\n').slice(-15).join('\n')).join('\n');
}

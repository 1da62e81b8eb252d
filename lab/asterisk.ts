import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { celFileOf, renderConfiguration, type AsteriskVersion, type Pbx } from './asterisk-configuration.js';
import { readCel, type CelRow } from './cel.js';
import type { Report, UnpackedPackages } from './debian-packages.js';
import { keepProcess, type KeptProcess } from './kept-process.js';
import type { LabPorts } from './ports.js';
import { runProgram } from './run-program.js';
import { waitFor } from './wait-for.js';

/** Older ones have known security holes; see docs on supported versions. */
const OLDEST: Readonly<Record<AsteriskVersion, readonly number[]>> = { 16: [16, 28, 0], 22: [22, 10, 1] };

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
  readonly asterisk: AsteriskVersion;
  readonly pbx: Pbx;
  readonly deviceStates: boolean;
  readonly dir: string;
  readonly ports: LabPorts;
  readonly aliveFile: string;
  readonly report: Report;
}

export async function startAsterisk(options: StartAsteriskOptions): Promise<LabAsterisk & { stop(): Promise<void> }> {
  const { packages, dir, ports, aliveFile } = options;
  const version = upstreamVersion(packages.version, options.asterisk);
  await warnOfSlowNames(options.report);
  const password = randomBytes(18).toString('base64url');
  await renderConfiguration({ ...options, password });

  const configuration = join(dir, 'etc', 'asterisk.conf');
  const asterisk = (...args: string[]) => packages.command('usr/sbin/asterisk', ['-C', configuration, ...args]);
  const logFile = join(dir, 'log', 'full');
  const celFile = celFileOf(options);
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
export function upstreamVersion(debianVersion: string, asterisk: AsteriskVersion): string {
  const version = /^(?:\d+:)?(\d+\.\d+\.\d+)/.exec(debianVersion)?.[1] ?? debianVersion;
  const oldest = OLDEST[asterisk];
  const found = version.split('.').map(Number);
  const differs = oldest.findIndex((part, index) => part !== found[index]);
  if (differs >= 0 && (found[differs] ?? 0) < (oldest[differs] ?? 0)) {
    throw new Error(
      `the mirror's Asterisk is ${version}, and the lab needs ${oldest.join('.')} or newer: ` +
        'name a mirror that is up to date with LAB_DEBIAN_MIRROR',
    );
  }
  return version;
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

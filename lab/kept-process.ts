import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

import { projectRoot } from './project-root.js';

export interface KeepOptions {
  /** Standard output and error are appended here; they go to our own standard error unless given. */
  readonly logFile?: string;
  /** Locked while the process lives, see sweeper.sh; "-" where nobody asks. */
  readonly aliveFile: string;
  /** How the program is asked to end: TERM unless told. */
  readonly stopSignal?: 'TERM' | 'INT' | 'QUIT' | 'KILL' | 'USR1';
  /** How long it may take over ending before it is killed: 5 s unless told. */
  readonly graceSeconds?: number;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export interface KeptProcess {
  readonly pid: number;
  /** Exit code; over 128 when a signal ended it. Never rejects. */
  readonly exited: Promise<number>;
  hasExited(): boolean;
  signal(signal: NodeJS.Signals): void;
  /** Asks it to end, kills it after the grace, and settles when it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts a program that cannot outlive this process, however this process ends (see keeper.sh). It runs in a process
 * group of its own, so that Ctrl-C in a terminal reaches only us and the order of shutting down stays ours.
 */
export async function keepProcess(
  command: string,
  args: readonly string[],
  options: KeepOptions,
): Promise<KeptProcess> {
  const log = options.logFile === undefined ? 2 : openSync(options.logFile, 'a');
  const keeper = spawn(
    '/bin/sh',
    [
      join(projectRoot, 'lab', 'keeper.sh'),
      options.stopSignal ?? 'TERM',
      String(options.graceSeconds ?? 5),
      options.aliveFile,
      command,
      ...args,
    ],
    { stdio: ['pipe', log, log, 'pipe'], detached: true, cwd: options.cwd, env: options.env ?? process.env },
  );
  if (options.logFile !== undefined) closeSync(log);
  let gone = false;
  const exited = new Promise<number>((resolve) => {
    keeper.once('error', () => resolve(127));
    keeper.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  }).finally(() => {
    gone = true;
  });
  const lifeline = keeper.stdio[0] as Writable;
  // The keeper may be gone already when the pipe is closed.
  lifeline.on('error', () => undefined);

  let said = '';
  for await (const chunk of keeper.stdio[3] as Readable) said += String(chunk);
  const pid = Number(said);
  if (!Number.isInteger(pid) || pid <= 0)
    throw new Error(`${command} could not be started: see ${options.logFile ?? 'above'}`);

  return {
    pid,
    exited,
    hasExited: () => gone,
    signal: (signal) => {
      if (!gone) process.kill(pid, signal);
    },
    stop: async () => {
      lifeline.end();
      await exited;
    },
  };
}

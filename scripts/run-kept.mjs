import { spawn } from 'node:child_process';
import { join } from 'node:path';

import { projectRoot } from './project.mjs';

/**
 * Runs a program to its end and gives its exit code. It ends with us, however we end (see lab/keeper.sh), and does not
 * hear the terminal's Ctrl-C by itself.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, output?: 'inherit' | 'stderr' }} [options] stderr: what it prints goes there
 * @returns {Promise<number>}
 */
export function runKept(command, args, options = {}) {
  const output = options.output === 'stderr' ? process.stderr : process.stdout;
  const keeper = spawn('/bin/sh', [join(projectRoot, 'lab/keeper.sh'), 'TERM', '5', '-', command, ...args], {
    cwd: projectRoot,
    env: options.env ?? process.env,
    stdio: ['pipe', output, process.stderr, 'pipe'],
    detached: true,
  });
  keeper.stdio[3]?.on('data', () => undefined);
  keeper.stdin?.on('error', () => undefined);
  return new Promise((resolve) => {
    keeper.once('error', () => resolve(127));
    keeper.once('exit', (code) => resolve(code ?? 1));
  });
}

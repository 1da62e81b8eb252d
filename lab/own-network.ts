import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

import { runProgram } from './run-program.js';

const run = promisify(execFile);
/** Set where this process already runs in a network of its own. */
const MARK = 'LAB_OWN_NETWORK';
/** A table of routes that the rules below name. */
const NOWHERE_TABLE = '100';

export const isInOwnNetwork = (): boolean => process.env[MARK] === '1';

/**
 * What a command becomes that is to run in a network of its own: nothing of it reaches the machine's network, and what is
 * done to its loopback is done to nobody else. Null where the kernel does not let us make one.
 */
export async function inOwnNetwork(
  command: string,
  args: readonly string[],
): Promise<{ readonly command: string; readonly args: readonly string[]; readonly env: NodeJS.ProcessEnv } | null> {
  const apart = process.getuid?.() === 0 ? ['--net'] : ['--net', '--user', '--map-root-user'];
  const { code } = await runProgram('unshare', [...apart, 'ip', 'link', 'set', 'lo', 'up'], { timeoutMs: 5_000 });
  if (code !== 0) return null;
  return { command: 'unshare', args: [...apart, command, ...args], env: { ...process.env, [MARK]: '1' } };
}

/**
 * Prepares the network of our own, which is empty at first: its loopback, and what lets a port be cut off. That is a cable
 * that leads nowhere, and rules that are asked before the route to our own addresses. What goes there is lost without a word:
 * no reset, no error, as behind a switch that failed.
 */
export async function furnishOwnNetwork(): Promise<void> {
  await ip('link set lo up');
  await ip('link add cut type veth peer name nowhere');
  await ip('link set cut arp off');
  await ip('link set cut up');
  await ip('link set nowhere up');
  // Otherwise what comes from 127.0.0.1 is refused there, and the sender told.
  await writeFile('/proc/sys/net/ipv4/conf/cut/route_localnet', '1');
  await ip('rule add pref 10 lookup local');
  await ip('rule del pref 0');
  await ip(`route add default dev cut table ${NOWHERE_TABLE}`);
}

/** Nothing from this TCP port, and nothing to it, arrives until it is joined again. */
export async function cutOff(port: number): Promise<void> {
  for (const rule of rulesOf(port)) await ip(`rule add ${rule}`);
}

export async function joinAgain(port: number): Promise<void> {
  for (const rule of rulesOf(port)) await ip(`rule del ${rule}`);
}

function rulesOf(port: number): string[] {
  return ['dport', 'sport'].map((side) => `pref 1 ipproto tcp ${side} ${port} lookup ${NOWHERE_TABLE}`);
}

async function ip(words: string): Promise<void> {
  await run('ip', words.split(' '));
}

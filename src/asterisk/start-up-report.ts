import type { AriCommands } from './session/commands.js';
import { parseAriTime } from './ari-time.js';

export type NodeWarning = { readonly code: string; readonly detail: string; readonly remedy: string };

export type AsteriskModule = { readonly name: string; readonly running: boolean };

/** What a node says it is. */
export type AsteriskIdentity = Pick<StartUpReport, 'version' | 'boot' | 'startedAt'>;

/** What was found on a node before its session was opened. */
export type StartUpReport = {
  readonly version: string;
  /** Start time of the Asterisk process, as it writes it: identifies this run of it. */
  readonly boot: string;
  readonly startedAt: number;
  /** Those that Ringline needs; none where they cannot be asked for. */
  readonly modules: readonly AsteriskModule[];
  /** Whether Stasis has device states loaded; null where that cannot be asked. */
  readonly hasDeviceStates: boolean | null;
  /** Whether a transfer that a phone asks for can be left to us, and whether that is safe there. */
  readonly phoneTransfers: 'safe' | 'risky' | 'impossible';
  readonly warnings: readonly NodeWarning[];
};

/** Modules without which calls cannot be driven. */
const neededModules = [
  'res_ari.so',
  'res_ari_applications.so',
  'res_ari_asterisk.so',
  'res_ari_bridges.so',
  'res_ari_channels.so',
  'res_ari_endpoints.so',
  'res_ari_events.so',
  'res_stasis.so',
  'res_stasis_answer.so',
  'app_stasis.so',
  'chan_pjsip.so',
  'func_timeout.so',
  'func_callerid.so',
  'func_strings.so',
  'res_pjsip_header_funcs.so',
];

/** With it loaded, ARI locks up when a socket that is subscribed to everything closes under load. */
export const DEVICE_STATES = 'res_stasis_device_state.so';

/** Oldest release that has what we need, and the oldest of each long-term branch with the known security fixes. */
const OLDEST = [16, 28, 0] as const;
const floors: Readonly<Record<number, readonly [number, number, number]>> = { 16: [16, 28, 0], 22: [22, 10, 1] };

export class NodeRefused extends Error {
  constructor(
    readonly code: 'credentials-refused' | 'asterisk-too-old' | 'not-asterisk' | 'unreachable' | 'modules-missing',
    detail: string,
    readonly remedy: string,
  ) {
    super(detail);
  }
}

/**
 * Asks a node what it is. Done before `ari-client` is let near it.
 * @throws {NodeRefused} when calls cannot be driven there.
 */
export async function readStartUpReport(commands: AriCommands, ariUrl: string): Promise<StartUpReport> {
  const identity = await identify(commands, ariUrl);
  const fault = versionFault(identity.version);
  if (fault?.code === 'asterisk-too-old') throw new NodeRefused(fault.code, fault.detail, fault.remedy);
  const all = await readModules(commands);
  const modules = all === null ? [] : neededOf(all);
  const missing = modules.filter(({ running }) => !running).map(({ name }) => name);
  if (missing.length > 0) {
    throw new NodeRefused(
      'modules-missing',
      `Asterisk has not loaded ${missing.join(', ')}`,
      'Load them in modules.conf; asterisk/ringline/modules.conf lists all.',
    );
  }
  return {
    ...identity,
    modules,
    hasDeviceStates: all === null ? null : isRunning(all, DEVICE_STATES),
    phoneTransfers: phoneTransfersOf(identity.version),
    warnings: fault === null ? [] : [fault],
  };
}

/** @throws {NodeRefused} when it does not answer, refuses the user, or is no Asterisk. */
export async function identify(commands: AriCommands, ariUrl: string): Promise<AsteriskIdentity> {
  const info = await commands.send('GET', '/asterisk/info');
  if (info.kind !== 'answered') {
    throw new NodeRefused(
      'unreachable',
      `${ariUrl} does not answer: ${info.text}`,
      'Start Asterisk, check `ariUrl`, http.conf and the firewall between the two.',
    );
  }
  if (info.status === 401 || info.status === 403) {
    throw new NodeRefused(
      'credentials-refused',
      `Asterisk refuses the ARI user (${info.status})`,
      'Set `username` and `password` of the node as in ari.conf.',
    );
  }
  const { system, status } = (info.body ?? {}) as {
    system?: { version?: unknown };
    status?: { startup_time?: unknown };
  };
  const version = system?.version;
  const boot = status?.startup_time;
  const startedAt = parseAriTime(boot);
  if (info.status !== 200 || typeof version !== 'string' || typeof boot !== 'string' || startedAt === null) {
    throw new NodeRefused(
      'not-asterisk',
      `${ariUrl} answers ${info.status}, but not as Asterisk’s ARI does`,
      'Give the address of ARI itself, such as http://127.0.0.1:8088/ari.',
    );
  }
  return { version, boot, startedAt };
}

/** What is wrong with a version; null for nothing. */
export function versionFault(version: string): NodeWarning | null {
  const numbers = parseVersion(version);
  if (numbers === null) {
    return {
      code: 'asterisk-version-unknown',
      detail: `Version "${version}" cannot be read.`,
      remedy: 'Use a released version of Asterisk 22.',
    };
  }
  if (isOlder(numbers, OLDEST)) {
    return {
      code: 'asterisk-too-old',
      detail: `Asterisk ${version} is older than ${OLDEST.join('.')}`,
      remedy: 'Update Asterisk, best to 22.10.1 or newer.',
    };
  }
  if (!isOlder(numbers, floors[numbers[0]] ?? [22, 10, 1])) return null;
  return {
    code: 'asterisk-outdated',
    detail: `Asterisk ${version} lacks known security fixes.`,
    remedy: 'Update to 22.10.1 or newer.',
  };
}

/** The first releases of their branches in which `PJSIP_TRANSFER_HANDLING` exists, and whole (asterisk issue 2021). */
const transferHandling: Readonly<Record<number, readonly [since: number, safe: number]>> = {
  20: [13, Infinity],
  21: [8, Infinity],
  22: [3, 11],
  23: [0, Infinity],
};

/**
 * What a version does with a REFER that is left to us. Seen on 22.10.1: one with `Refer-Sub: false`, which any phone may send,
 * ends the Asterisk process (a null pointer, mended in 22.11.0).
 */
export function phoneTransfersOf(version: string): StartUpReport['phoneTransfers'] {
  const [branch, minor] = parseVersion(version) ?? [0, 0];
  const [since, safe] = transferHandling[branch] ?? (branch > 23 ? [0, 0] : [Infinity, Infinity]);
  return minor < since ? 'impossible' : minor < safe ? 'risky' : 'safe';
}

/** All modules of a node; null where it does not tell them. */
export async function readModules(commands: AriCommands): Promise<readonly AsteriskModule[] | null> {
  const answer = await commands.send('GET', '/asterisk/modules');
  if (answer.kind !== 'answered' || answer.status !== 200 || !Array.isArray(answer.body)) return null;
  return (answer.body as { name?: unknown; status?: unknown }[]).flatMap(({ name, status }) =>
    typeof name === 'string' ? [{ name, running: status === 'Running' }] : [],
  );
}

/** Of all modules those that Ringline needs. */
export function neededOf(all: readonly AsteriskModule[]): readonly AsteriskModule[] {
  return neededModules.map((name) => ({ name, running: isRunning(all, name) }));
}

export function isRunning(all: readonly AsteriskModule[], name: string): boolean {
  return all.some((module) => module.name === name && module.running);
}

/** `22.10.1`, `22.10.1~dfsg+~cs6.15.60671435-1`, `16.28.0`; certified and development versions have no number of their own. */
export function parseVersion(version: string): readonly [number, number, number] | null {
  const match = /^(?:Asterisk )?(\d+)\.(\d+)(?:\.(\d+))?/.exec(version);
  return match === null ? null : [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
}

function isOlder(a: readonly [number, number, number], b: readonly [number, number, number]): boolean {
  return a[0] !== b[0] ? a[0] < b[0] : a[1] !== b[1] ? a[1] < b[1] : a[2] < b[2];
}

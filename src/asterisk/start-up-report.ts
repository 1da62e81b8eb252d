import type { AriCommands } from './session/commands.js';
import { parseAriTime } from './ari-time.js';

export type NodeWarning = { readonly code: string; readonly detail: string; readonly remedy: string };

/** What was found on a node before its session was opened. */
export type StartUpReport = {
  readonly version: string;
  /** Start time of the Asterisk process, as it writes it: identifies this run of it. */
  readonly boot: string;
  readonly startedAt: number;
  readonly modules: readonly { readonly name: string; readonly running: boolean }[];
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
  'res_pjsip_header_funcs.so',
];

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
  const warnings: NodeWarning[] = [];
  const numbers = parseVersion(version);
  if (numbers === null) {
    warnings.push({
      code: 'asterisk-version-unknown',
      detail: `Version "${version}" cannot be read.`,
      remedy: 'Use a released version of Asterisk 22.',
    });
  } else if (isOlder(numbers, OLDEST)) {
    throw new NodeRefused(
      'asterisk-too-old',
      `Asterisk ${version} is older than ${OLDEST.join('.')}`,
      'Update Asterisk, best to 22.10.1 or newer.',
    );
  } else if (isOlder(numbers, floors[numbers[0]] ?? [22, 10, 1])) {
    warnings.push({
      code: 'asterisk-outdated',
      detail: `Asterisk ${version} lacks known security fixes.`,
      remedy: 'Update to 22.10.1 or newer.',
    });
  }
  const modules = await readModules(commands);
  const missing = modules.filter(({ running }) => !running).map(({ name }) => name);
  if (missing.length > 0) {
    throw new NodeRefused(
      'modules-missing',
      `Asterisk has not loaded ${missing.join(', ')}`,
      'Load them in modules.conf; asterisk/ringline/modules.conf lists all.',
    );
  }
  return { version, boot, startedAt, modules, warnings };
}

async function readModules(commands: AriCommands): Promise<StartUpReport['modules']> {
  const answer = await commands.send('GET', '/asterisk/modules');
  if (answer.kind !== 'answered' || answer.status !== 200 || !Array.isArray(answer.body)) return [];
  const running = new Set(
    (answer.body as { name?: unknown; status?: unknown }[])
      .filter(({ status }) => status === 'Running')
      .map(({ name }) => name),
  );
  return neededModules.map((name) => ({ name, running: running.has(name) }));
}

/** `22.10.1`, `22.10.1~dfsg+~cs6.15.60671435-1`, `16.28.0`; certified and development versions have no number of their own. */
export function parseVersion(version: string): readonly [number, number, number] | null {
  const match = /^(?:Asterisk )?(\d+)\.(\d+)(?:\.(\d+))?/.exec(version);
  return match === null ? null : [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
}

function isOlder(a: readonly [number, number, number], b: readonly [number, number, number]): boolean {
  return a[0] !== b[0] ? a[0] < b[0] : a[1] !== b[1] ? a[1] < b[1] : a[2] < b[2];
}

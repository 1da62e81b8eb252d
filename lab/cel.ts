import { readFile } from 'node:fs/promises';

import { grouped } from './grouped.js';

/** One line of Asterisk's record; read apart from the product, to judge it. */
export interface CelRow {
  readonly event: string;
  /** Milliseconds since 1970, with a fraction: Asterisk writes microseconds. */
  readonly at: number;
  readonly uniqueId: string;
  readonly linkedId: string;
  readonly channel: string;
  readonly callerNumber: string;
  readonly exten: string;
  readonly context: string;
  readonly app: string;
  readonly appData: string;
  readonly peer: string;
  readonly extra: Readonly<Record<string, unknown>>;
}

export interface CelChannel {
  readonly uniqueId: string;
  readonly name: string;
  readonly callerNumber: string;
  readonly startedAt: number;
  readonly answeredAt: number | undefined;
  /** First time it was in a bridge. */
  readonly bridgedAt: number | undefined;
  readonly endedAt: number | undefined;
  /** Q.850 cause of HANGUP. */
  readonly cause: number | undefined;
  /** Who hung up, as Asterisk names it: a channel, "dialplan/...", or empty. */
  readonly hangupSource: string | undefined;
  readonly dialStatus: string | undefined;
  /** Contexts and applications it went through, in order, for example "ringline-fallback Playback". */
  readonly apps: readonly string[];
}

/** What Asterisk itself recorded of one conversation. */
export interface CelCall {
  readonly linkedId: string;
  readonly channels: readonly CelChannel[];
  readonly startedAt: number;
  /** When two channels first were in one bridge, or undefined. */
  readonly joinedAt: number | undefined;
  /** When everything was over, or undefined while it is not. */
  readonly endedAt: number | undefined;
}

/** All whole lines of the file; none while there is no file. */
export async function readCel(file: string): Promise<CelRow[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return parseCel(text);
}

/** Columns of asterisk/ringline/cel_custom.conf, and of the example that comes with Asterisk (cel_custom.16.conf). */
const COLUMNS = [
  'eventtype,eventtime,uniqueid,linkedid,channame,name,num,exten,context,appname,appdata,peer,eventextra',
  'eventtype,eventtime,name,num,ani,rdnis,dnid,exten,context,channame,appname,appdata,amaflags,accountcode,uniqueid,' +
    'linkedid,peer,userfield,userdeftype,eventextra',
].map((names) => names.split(','));

/** A last line without its end of line is still being written and left out. */
export function parseCel(text: string): CelRow[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const field = line.startsWith('{') ? (JSON.parse(line) as Record<string, string>) : csvFields(line);
      return {
        event: field['eventtype'] ?? '',
        at: Number(field['eventtime']) * 1000,
        uniqueId: field['uniqueid'] ?? '',
        linkedId: field['linkedid'] ?? '',
        channel: field['channame'] ?? '',
        callerNumber: field['num'] ?? '',
        exten: field['exten'] ?? '',
        context: field['context'] ?? '',
        app: field['appname'] ?? '',
        appData: field['appdata'] ?? '',
        peer: field['peer'] ?? '',
        extra: field['eventextra'] ? (JSON.parse(field['eventextra']) as Record<string, unknown>) : {},
      };
    });
}

/** The rows put together, one entry per linked id, oldest first. */
export function celCalls(rows: readonly CelRow[]): CelCall[] {
  return [...grouped(rows, ({ linkedId }) => linkedId).entries()]
    .map(([linkedId, ofCall]) => callOf(linkedId, ofCall))
    .sort((one, other) => one.startedAt - other.startedAt);
}

/** The rows put together by channel, oldest first. A channel keeps its unique id when its linked id changes in a bridge. */
export function celChannels(rows: readonly CelRow[]): CelChannel[] {
  const ofChannels = rows.filter(({ event }) => event !== 'LINKEDID_END');
  return [...grouped(ofChannels, ({ uniqueId }) => uniqueId).entries()]
    .map(([uniqueId, ofChannel]) => channelOf(uniqueId, ofChannel))
    .sort((one, other) => one.startedAt - other.startedAt);
}

/** Two channels that could hear each other. */
export interface CelTalk {
  /** Their names without what makes them unique, in the order of the alphabet: "PJSIP/1001", "PJSIP/trunk". */
  readonly parties: readonly [string, string];
  /** Their unique ids, in the same order. */
  readonly uniqueIds: readonly [string, string];
  readonly from: number;
  /** undefined while it lasts. */
  readonly until: number | undefined;
}

/** A Local channel that Asterisk takes out of the way parts the two for some milliseconds. */
const ONE_TALK_MS = 250;

/**
 * Who could hear whom, oldest first: everybody in a bridge, also through the two ends of a Local channel. Music on hold is
 * not looked at, and nobody hears another in a bridge that only holds (parking, queue).
 */
export function celTalks(rows: readonly CelRow[]): CelTalk[] {
  const bridgeOf = new Map<string, string>();
  const nameOf = new Map<string, string>();
  const open = new Map<string, CelTalk>();
  const over: CelTalk[] = [];
  for (const row of [...rows].sort((one, other) => one.at - other.at)) {
    nameOf.set(row.uniqueId, row.channel);
    const bridge = textOf(row.extra['bridge_id']);
    if (row.event === 'BRIDGE_ENTER' && bridge && row.extra['bridge_technology'] !== 'holding_bridge') {
      bridgeOf.set(row.uniqueId, bridge);
    } else if (row.event === 'HANGUP' || (row.event === 'BRIDGE_EXIT' && bridgeOf.get(row.uniqueId) === bridge)) {
      bridgeOf.delete(row.uniqueId);
    } else continue;
    const pairs = pairsInSound(bridgeOf, nameOf);
    for (const [key, talk] of open) {
      if (pairs.has(key)) continue;
      open.delete(key);
      over.push({ ...talk, until: row.at });
    }
    for (const [key, uniqueIds] of pairs) {
      if (open.has(key)) continue;
      const parties = uniqueIds.map((id) => (nameOf.get(id) ?? '').replace(/-[0-9a-f]+$/, '')) as [string, string];
      const justOver = over.findIndex(
        (talk) => talk.uniqueIds.join(' ') === key && row.at - (talk.until ?? 0) < ONE_TALK_MS,
      );
      const from = justOver < 0 ? row.at : over.splice(justOver, 1)[0]!.from;
      open.set(key, { parties, uniqueIds, from, until: undefined });
    }
  }
  return [...over, ...open.values()].sort((one, other) => one.from - other.from);
}

function pairsInSound(
  bridgeOf: ReadonlyMap<string, string>,
  nameOf: ReadonlyMap<string, string>,
): Map<string, readonly [string, string]> {
  // The two ends of a Local channel ("Local/1005@forward-00000001;1" and ";2") make one room of their bridges.
  const roomOf = new Map([...bridgeOf.values()].map((bridge) => [bridge, bridge]));
  const local = new Map<string, string>();
  for (const [id, bridge] of bridgeOf) {
    const name = nameOf.get(id) ?? '';
    if (!name.startsWith('Local/')) continue;
    const pair = name.slice(0, -2);
    const [one, other] = [roomOf.get(bridge), roomOf.get(local.get(pair) ?? bridge)];
    for (const [member, room] of roomOf) if (room === other) roomOf.set(member, one ?? bridge);
    local.set(pair, bridge);
  }
  const ends = [...bridgeOf].filter(([id]) => !(nameOf.get(id) ?? '').startsWith('Local/'));
  const pairs = new Map<string, readonly [string, string]>();
  for (const [index, [one, bridge]] of ends.entries()) {
    for (const [other, otherBridge] of ends.slice(index + 1)) {
      if (roomOf.get(bridge) !== roomOf.get(otherBridge)) continue;
      const ids: [string, string] = (nameOf.get(one) ?? '') < (nameOf.get(other) ?? '') ? [one, other] : [other, one];
      pairs.set(ids.join(' '), ids);
    }
  }
  return pairs;
}

function callOf(linkedId: string, rows: readonly CelRow[]): CelCall {
  const channels = celChannels(rows);
  const open = channels.some((channel) => channel.endedAt === undefined);
  return {
    linkedId,
    channels,
    startedAt: Math.min(...rows.map((row) => row.at)),
    joinedAt: joinedAt(rows),
    endedAt: open ? undefined : Math.max(...channels.map((channel) => channel.endedAt ?? 0)),
  };
}

function channelOf(uniqueId: string, rows: readonly CelRow[]): CelChannel {
  const first = (event: string) => rows.find((row) => row.event === event);
  const hangup = first('HANGUP');
  return {
    uniqueId,
    name: rows[0]?.channel ?? '',
    callerNumber: rows[0]?.callerNumber ?? '',
    startedAt: (first('CHAN_START') ?? rows[0])?.at ?? Number.NaN,
    answeredAt: first('ANSWER')?.at,
    bridgedAt: first('BRIDGE_ENTER')?.at,
    endedAt: (hangup ?? first('CHAN_END'))?.at,
    cause: numberOf(hangup?.extra['hangupcause']),
    hangupSource: textOf(hangup?.extra['hangupsource']),
    dialStatus: textOf(hangup?.extra['dialstatus']) || undefined,
    apps: rows.filter((row) => row.event === 'APP_START').map((row) => `${row.context} ${row.app}`),
  };
}

function joinedAt(rows: readonly CelRow[]): number | undefined {
  const inside = new Map<string, Set<string>>();
  for (const row of [...rows].sort((one, other) => one.at - other.at)) {
    const bridge = textOf(row.extra['bridge_id']);
    if (bridge === undefined) continue;
    const members = inside.get(bridge) ?? new Set<string>();
    inside.set(bridge, members);
    if (row.event === 'BRIDGE_ENTER') members.add(row.uniqueId);
    if (row.event === 'BRIDGE_EXIT') members.delete(row.uniqueId);
    if (members.size === 2) return row.at;
  }
  return undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Fields of a line by the names of their columns. */
export function csvFields(line: string): Record<string, string> {
  const values = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
  const columns = COLUMNS.find(({ length }) => length === values.length);
  if (!columns) throw new Error(`a line of CEL has ${values.length} columns, which no configuration of the lab writes`);
  return Object.fromEntries(columns.map((name, index) => [name, values[index] ?? '']));
}

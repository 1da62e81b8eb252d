import { readFile } from 'node:fs/promises';

/** One line of the file that asterisk/ringline/cel_custom.conf describes; read apart from the product, to judge it. */
export interface CelRow {
  readonly event: string;
  /** Milliseconds since 1970, with a fraction: Asterisk writes microseconds. */
  readonly at: number;
  readonly uniqueId: string;
  readonly linkedId: string;
  readonly channel: string;
  readonly callerName: string;
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

/** A last line without its end of line is still being written and left out. */
export function parseCel(text: string): CelRow[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [event, at, uniqueId, linkedId, channel, callerName, callerNumber, exten, ...rest] = splitCsv(line);
      const [context, app, appData, peer, extra] = rest;
      return {
        event: event ?? '',
        at: Number(at) * 1000,
        uniqueId: uniqueId ?? '',
        linkedId: linkedId ?? '',
        channel: channel ?? '',
        callerName: callerName ?? '',
        callerNumber: callerNumber ?? '',
        exten: exten ?? '',
        context: context ?? '',
        app: app ?? '',
        appData: appData ?? '',
        peer: peer ?? '',
        extra: extra ? (JSON.parse(extra) as Record<string, unknown>) : {},
      };
    });
}

/** The rows put together, one entry per linked id, oldest first. */
export function celCalls(rows: readonly CelRow[]): CelCall[] {
  const byLinkedId = new Map<string, CelRow[]>();
  for (const row of rows) {
    const known = byLinkedId.get(row.linkedId);
    if (known) known.push(row);
    else byLinkedId.set(row.linkedId, [row]);
  }
  return [...byLinkedId.entries()]
    .map(([linkedId, ofCall]) => callOf(linkedId, ofCall))
    .sort((one, other) => one.startedAt - other.startedAt);
}

/** The rows put together by channel, oldest first. A channel keeps its unique id when its linked id changes in a bridge. */
export function celChannels(rows: readonly CelRow[]): CelChannel[] {
  const byChannel = new Map<string, CelRow[]>();
  for (const row of rows) {
    if (row.event === 'LINKEDID_END') continue;
    const known = byChannel.get(row.uniqueId);
    if (known) known.push(row);
    else byChannel.set(row.uniqueId, [row]);
  }
  return [...byChannel.entries()]
    .map(([uniqueId, ofChannel]) => channelOf(uniqueId, ofChannel))
    .sort((one, other) => one.startedAt - other.startedAt);
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

function splitCsv(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
}

import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Call } from '../../src/calls/domain/call.js';
import { celChannels, type CelChannel, type CelRow } from '../cel.js';
import { foundCompany, type Company } from '../company.js';
import { startRingline, type LabRingline } from '../ringline.js';
import type { SipCall } from '../sip-trace.js';
import type { Caller } from '../sipp.js';
import { startLab, type Lab } from '../start-lab.js';
import { waitFor } from '../wait-for.js';

/** What is done to Ringline, and when, seconds after the first call. */
export type Blow = {
  readonly at: number;
  readonly what: 'kill' | 'terminate' | { readonly freezeSeconds: number } | { readonly partitionSeconds: number };
};

export type StormFigures = {
  readonly calls: number;
  /** By their records. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Records with a time or an outcome that was inferred. */
  readonly estimated: number;
  /** Calls that never came into our app. */
  readonly neverInApp: number;
  /** Slowest answer of the fall-back to a call that had not been with an agent, ms after its INVITE. */
  readonly slowestFallbackMs: number;
  /** Longest time a party was left alone after the other hung up, ms. */
  readonly longestAloneMs: number;
  /** Callers who still waited when Ringline was asked to stop: slowest answer by the fall-back after that, ms. */
  readonly slowestAfterStopMs: number;
  /** From the start of the process to its session with the switch, ms. */
  readonly restartsMs: readonly number[];
  readonly openRecords: number;
  readonly channelsLeft: number;
  readonly bridgesLeft: number;
  readonly deliveries: number;
  /** Events that an endpoint got under two ids. */
  readonly twoIds: number;
  /** Disagreements of records with the switch's own log, in words. */
  readonly wrong: readonly string[];
};

const LINES = 3;
const TOLERANCE_MS = 1_000;
/** A call that stays in Stasis for less was refused there: our app was not registered. */
const REFUSED_WITHIN_MS = 60;

/** Incoming calls at a steady rate while Ringline is hit; afterwards every record is compared with the switch's own log. */
export async function storm(options: {
  readonly callsPerSecond: number;
  readonly seconds: number;
  readonly blows: readonly Blow[];
  /** Ringline reads the switch's own log too. */
  readonly readsCel?: boolean;
  readonly report: (line: string) => void;
}): Promise<StormFigures> {
  const lab = await startLab();
  try {
    return await runStorm(lab, options);
  } finally {
    await lab.stop();
  }
}

async function runStorm(
  lab: Lab,
  { callsPerSecond, seconds, blows, readsCel = false, report }: Parameters<typeof storm>[0],
): Promise<StormFigures> {
  const ari = await lab.proxy(lab.asterisk.ariUrl);
  const ringline = await startRingline(lab);
  const receiver = await startCounter(lab);
  const company = await foundCompany(lab, ringline, { agents: [1], ariUrl: ari.url, readsCel });
  await company.call('POST', '/v1/webhook-endpoints', { body: { url: receiver.url, description: 'counter' } });
  const dids = [company.did];
  for (let n = 2; n <= LINES; n++) dids.push(await addLine(company, n));

  // Three sorts of calls: the caller hangs up, the agent hangs up, the caller gives up while a phone rings.
  const total = callsPerSecond * seconds;
  const share = [Math.round(total * 0.5), Math.round(total * 0.3), Math.round(total * 0.2)];
  const phones = [
    await lab.sipp.phone({ register: ['agent1'], ringMs: 800, media: 'none' }),
    await lab.sipp.phone({ register: ['agent2'], ringMs: 800, talkMs: 3_000, media: 'none' }),
    await lab.sipp.phone({ register: ['agent3'], ringMs: 'forever', media: 'none' }),
  ];
  const behaviour = [{ talkMs: 4_000 }, {}, { giveUpMs: 2_000 }];
  const startedAt = Date.now();
  const callers = await Promise.all(
    share.map((count, i) =>
      lab.sipp.caller({
        calls: [{ from: `+49301112${i}0`, to: dids[i] as string }],
        count,
        rate: count / seconds,
        media: 'none',
        ...behaviour[i],
      }),
    ),
  );

  const stops: number[] = [];
  const restartsMs: number[] = [];
  for (const { at, what } of blows) {
    await sleep(Math.max(0, startedAt + at * 1000 - Date.now()));
    report(`${at} s: ${JSON.stringify(what)}`);
    if (what === 'kill' || what === 'terminate') {
      if (what === 'terminate') stops.push(Date.now());
      await (what === 'kill' ? ringline.kill() : ringline.stop());
      restartsMs.push(await restart(ringline, company.nodeId));
    } else if ('freezeSeconds' in what) {
      ringline.signal('SIGSTOP');
      await sleep(what.freezeSeconds * 1000);
      ringline.signal('SIGCONT');
    } else {
      ari.set({ blackHole: 'both' });
      await sleep(what.partitionSeconds * 1000);
      ari.set({});
    }
  }
  await Promise.all(callers.map(({ done }) => done));
  report('all calls are over; waiting for the records');
  const openRecords = await settled(company);
  const left = await leftovers(lab);
  await receiver.quiet();
  const sipCalls = (await Promise.all(callers.map((caller: Caller) => caller.calls()))).flat();
  const judged = judge(sipCalls, await allCalls(company), await lab.asterisk.cel(), stops);
  const figures = {
    ...judged,
    restartsMs,
    openRecords,
    ...left,
    deliveries: receiver.deliveries(),
    twoIds: receiver.twoIds(),
  };
  await Promise.all(phones.map((phone) => phone.stop()));
  await ringline.stop();
  await receiver.stop();
  return figures;
}

async function addLine(company: Company, n: number): Promise<string> {
  const agent = await company.call('POST', '/v1/agents', {
    body: {
      name: `Agent ${n}`,
      devices: [{ kind: 'sip', pbxNodeId: company.nodeId, endpoint: `agent${n}`, autoAnswer: 'none' }],
    },
  });
  const line = await company.call('POST', '/v1/lines', {
    body: {
      pbxNodeId: company.nodeId,
      number: `+493090182${n}`,
      name: `Line ${n}`,
      target: { agentIds: [agent.body.id] },
      outbound: null,
    },
  });
  return line.body.did as string;
}

async function restart(ringline: LabRingline, nodeId: string): Promise<number> {
  const startedAt = Date.now();
  await ringline.start();
  await waitFor(
    async () => {
      const health = await ringline.call('GET', `/v1/pbx-nodes/${nodeId}/health`).catch(() => null);
      return health?.status === 200 && health.body.status !== 'down';
    },
    { what: 'Ringline to be connected again', timeoutMs: 60_000 },
  );
  return Date.now() - startedAt;
}

/** Waits at most 60 s for the records to end. Gives the number that did not. */
async function settled(company: Company): Promise<number> {
  const open = async (): Promise<number> => (await allCalls(company)).filter(({ endedAt }) => endedAt === null).length;
  await waitFor(async () => (await open()) === 0, {
    what: 'all records to end',
    timeoutMs: 60_000,
    everyMs: 1_000,
  }).catch(() => undefined);
  return open();
}

async function leftovers(lab: Lab): Promise<{ channelsLeft: number; bridgesLeft: number }> {
  const read = async (path: string): Promise<{ id: string }[]> => {
    const { username, password, ariUrl } = lab.asterisk;
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    return (await fetch(`${ariUrl}${path}`, { headers: { authorization } })).json() as Promise<{ id: string }[]>;
  };
  const ours = async (): Promise<[number, number]> => [
    (await read('/channels')).length,
    (await read('/bridges')).filter(({ id }) => id.startsWith('rl-')).length,
  ];
  await waitFor(async () => (await ours()).every((n) => n === 0), {
    what: 'nothing to be left',
    timeoutMs: 60_000,
    everyMs: 1_000,
  }).catch(() => undefined);
  const [channelsLeft, bridgesLeft] = await ours();
  return { channelsLeft, bridgesLeft };
}

async function allCalls(company: Company): Promise<Call[]> {
  const calls: Call[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const { body } = await company.call(
      'GET',
      `/v1/calls?limit=200${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    calls.push(...(body.items as Call[]));
    cursor = body.nextCursor as string | null;
  }
  return calls;
}

/** Compares what callers saw and what the switch logged with the records. */
function judge(
  sipCalls: readonly SipCall[],
  records: readonly Call[],
  cel: readonly CelRow[],
  stops: readonly number[],
): Pick<
  StormFigures,
  | 'calls'
  | 'outcomes'
  | 'estimated'
  | 'neverInApp'
  | 'slowestFallbackMs'
  | 'longestAloneMs'
  | 'slowestAfterStopMs'
  | 'wrong'
> {
  const wrong: string[] = [];
  const outcomes: Record<string, number> = {};
  const channels = new Map(celChannels(cel).map((channel) => [channel.uniqueId, channel]));
  const bySipCall = new Map<string, Call[]>();
  const byLeg = new Map<string, Call>();
  for (const record of records) {
    const known = bySipCall.get(record.sipCallIds[0] ?? '') ?? [];
    bySipCall.set(record.sipCallIds[0] ?? '', [...known, record]);
    for (const { id } of record.legs) byLeg.set(id, record);
    outcomes[record.outcome ?? 'open'] = (outcomes[record.outcome ?? 'open'] ?? 0) + 1;
  }
  let neverInApp = 0;
  let slowestFallbackMs = 0;
  let longestAloneMs = 0;
  let slowestAfterStopMs = 0;
  const seen = new Set<string>();
  for (const call of sipCalls) {
    const found = bySipCall.get(call.callId) ?? [];
    if (found.length > 1) wrong.push(`${call.callId} has ${found.length} records`);
    const row = callerChannel(call, channels);
    // A record that the log alone told of knows its channel, and no SIP Call-ID.
    const record = found[0] ?? byLeg.get(row?.uniqueId ?? '');
    if (record === undefined) {
      neverInApp++;
      if (row !== undefined && inStasisMs(row.uniqueId, cel) > REFUSED_WITHIN_MS)
        wrong.push(`${call.callId} was in our app and has no record`);
      // Who gave up before was not kept waiting for ever: nobody could have answered.
      if (call.answeredAt !== undefined)
        slowestFallbackMs = Math.max(slowestFallbackMs, call.answeredAt - call.inviteAt);
      else if ((call.cancelAt ?? Infinity) - call.inviteAt > 10_000)
        wrong.push(`${call.callId} was answered by nobody in 10 s`);
      continue;
    }
    seen.add(record.id);
    const caller = channels.get(record.legs.find(({ side }) => side === 'remote')?.id ?? '');
    if (caller === undefined) {
      wrong.push(`the caller of ${record.id} is not in the switch's log`);
      continue;
    }
    const agents = record.legs.filter(({ side }) => side === 'agent').flatMap(({ id }) => channels.get(id) ?? []);
    const talk = talkOf(record, cel);
    const said = compare(record, caller, talk);
    wrong.push(...said.map((line) => `${record.id}: ${line}`));
    if (talk !== null) {
      const ends = [caller, ...agents.filter(({ bridgedAt }) => bridgedAt !== undefined)].map(
        ({ endedAt }) => endedAt ?? Infinity,
      );
      longestAloneMs = Math.max(longestAloneMs, Math.max(...ends) - Math.min(...ends));
    } else if (call.answeredAt !== undefined) {
      slowestFallbackMs = Math.max(slowestFallbackMs, call.answeredAt - call.inviteAt);
    }
    const stop = stops.find((at) => call.inviteAt < at && (call.answeredAt ?? call.cancelAt ?? 0) > at);
    if (stop !== undefined && call.answeredAt !== undefined)
      slowestAfterStopMs = Math.max(slowestAfterStopMs, call.answeredAt - stop);
  }
  for (const record of records) if (!seen.has(record.id)) wrong.push(`${record.id} is a record of no caller`);
  return {
    calls: sipCalls.length,
    outcomes,
    estimated: records.filter(({ estimated }) => estimated).length,
    neverInApp,
    slowestFallbackMs: Math.round(slowestFallbackMs),
    longestAloneMs: Math.round(longestAloneMs),
    slowestAfterStopMs: Math.round(slowestAfterStopMs),
    wrong,
  };
}

type Span = { readonly from: number; readonly until: number | undefined };

/** When the caller was in a room with one of the call's agents, by the switch's log. */
function talkOf(record: Call, cel: readonly CelRow[]): Span | null {
  const sides = new Map(record.legs.map(({ id, side }) => [id, side]));
  const inside = new Map<string, Set<string>>();
  let from: number | undefined;
  for (const row of cel) {
    const room = row.extra['bridge_id'];
    if (!sides.has(row.uniqueId) || typeof room !== 'string') continue;
    const members = inside.get(room) ?? new Set();
    inside.set(room, members);
    if (row.event === 'BRIDGE_ENTER') members.add(row.uniqueId);
    const kinds = new Set([...members].map((id) => sides.get(id)));
    if (row.event === 'BRIDGE_ENTER' && kinds.size === 2) from ??= row.at;
    if (row.event === 'BRIDGE_EXIT' && from !== undefined) return { from, until: row.at };
  }
  return from === undefined ? null : { from, until: undefined };
}

function compare(record: Call, caller: CelChannel, talk: Span | null): string[] {
  const said: string[] = [];
  if (record.status !== 'ended') said.push(`is ${record.status}`);
  const expected = talk === null ? 'missed' : 'answered';
  if (record.outcome !== expected) said.push(`is ${record.outcome}, the log says ${expected}`);
  if (record.estimated) return said;
  const near = (what: string, recorded: string | null, logged: number | undefined): void => {
    const away = recorded === null || logged === undefined ? Infinity : Math.abs(Date.parse(recorded) - logged);
    if (away > TOLERANCE_MS)
      said.push(
        `${what} ${recorded}, the log says ${logged === undefined ? 'nothing' : new Date(logged).toISOString()}`,
      );
  };
  near('started', record.startedAt, caller.startedAt);
  near('ended', record.endedAt, caller.endedAt);
  if (talk !== null) {
    near('answered', record.answeredAt, talk.from);
    const seconds = ((talk.until ?? 0) - talk.from) / 1000;
    if (Math.abs(record.talkSeconds - seconds) > 1.5)
      said.push(`talked ${record.talkSeconds} s, the log says ${seconds.toFixed(1)} s`);
  }
  return said;
}

/** The channel of a caller of whom we have no record: its INVITE came at about the same time from the same number. */
function callerChannel(call: SipCall, channels: ReadonlyMap<string, CelChannel>): CelChannel | undefined {
  const near = [...channels.values()].filter(
    ({ name, startedAt, callerNumber }) =>
      name.startsWith('PJSIP/trunk') && callerNumber === call.fromUser && Math.abs(startedAt - call.inviteAt) < 100,
  );
  return near.length === 1 ? near[0] : undefined;
}

/** How long a channel was in Stasis, ms. */
function inStasisMs(uniqueId: string, cel: readonly CelRow[]): number {
  const rows = cel.filter((row) => row.uniqueId === uniqueId && row.app === 'Stasis');
  const from = rows.find(({ event }) => event === 'APP_START')?.at;
  const until = rows.find(({ event }) => event === 'APP_END')?.at;
  return from === undefined || until === undefined ? 0 : until - from;
}

/** Receives webhooks and counts ids. */
async function startCounter(lab: Lab): Promise<{
  readonly url: string;
  deliveries(): number;
  twoIds(): number;
  quiet(): Promise<void>;
  stop(): Promise<void>;
}> {
  const ids = new Map<string, Set<string>>();
  let count = 0;
  let lastAt = Date.now();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const event = JSON.parse(Buffer.concat(chunks).toString()) as {
        sequence: number;
        data: { call: { id: string } };
      };
      const key = `${event.data.call.id}/${event.sequence}`;
      ids.set(key, (ids.get(key) ?? new Set()).add(String(request.headers['webhook-id'])));
      count++;
      lastAt = Date.now();
      response.writeHead(204).end();
    });
  });
  const port = await lab.ports.next();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${port}/events`,
    deliveries: () => count,
    twoIds: () => [...ids.values()].filter(({ size }) => size > 1).length,
    quiet: async () => {
      await waitFor(() => Date.now() - lastAt > 3_000, { what: 'webhooks to be delivered', timeoutMs: 60_000 });
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Whether all that was promised held. */
export function stormHeld(figures: StormFigures): boolean {
  return (
    figures.wrong.length === 0 &&
    figures.openRecords === 0 &&
    figures.channelsLeft === 0 &&
    figures.bridgesLeft === 0 &&
    figures.twoIds === 0 &&
    figures.slowestFallbackMs <= 10_000 &&
    figures.longestAloneMs <= 2_000 &&
    figures.slowestAfterStopMs <= 2_000
  );
}

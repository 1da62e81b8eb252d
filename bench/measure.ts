import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { allCalls } from '../lab/all-calls.js';
import type { CelRow } from '../lab/cel.js';
import { keepProcess } from '../lab/kept-process.js';
import { compiledFolder, startRingline, type LabRingline } from '../lab/ringline.js';
import type { Caller, Phone } from '../lab/sipp.js';
import type { Lab } from '../lab/start-lab.js';
import { waitFor } from '../lab/wait-for.js';
import { processorMs } from './processor-time.js';
import { drivenTargets, setScene, type Kind, type Scene, type Targets } from './scene.js';
import { quantile, round } from './statistics.js';

export type Latency = { readonly p50: number; readonly p99: number };

export type Measured = {
  /** Calls in which both sides talked and that ended as they should, by the phones. */
  readonly completed: number;
  /** Records that are ended, all of them, and those of callers whom an agent answered; others took the fall-back. */
  readonly records: number;
  readonly answered: number;
  /** Why the others were not answered by an agent, and how many. */
  readonly unanswered: Readonly<Record<string, number>>;
  /** Webhooks received. */
  readonly webhooks: number;
  /** From the last hang-up until every record and webhook was there. */
  readonly settledSeconds: number;
  readonly cpuMsPerCall: Readonly<Record<string, number>>;
  /** How often a call's facts were stored, and how long that took on average; 0 where nothing is. */
  readonly commits: { readonly perCall: number; readonly meanMs: number };
  readonly latencyMs: Readonly<Record<string, Latency>>;
};

type Load = { readonly rate: number; readonly calls: number };

const TALK_MS = 1_000;
/**
 * Calls before those that count, for the reference as for Ringline: a process that has just begun compiles its code. How long
 * their agents waited is told apart, as `cold`.
 */
const WARM_UP_CALLS = 40;
const FIRST_WARM_UP_CALLER = 900_000;
/** Until what the warm-up left under way is over. */
const REST_MS = 1_000;
const callerOf = (i: number): string => `+4930${String(2_000_000 + i)}`;

/** The bare client of bench/reference.ts: what the calls cost without records. */
export async function measureReference(lab: Lab, load: Load): Promise<Measured> {
  const { ariUrl, username, password } = lab.asterisk;
  const script = join(await compiledFolder(), 'bench/reference.js');
  const { phones, dids } = drivenTargets;
  const lines = dids.map((did, i) => `${did}=${phones[i]}`);
  const reference = await keepProcess(process.execPath, [script, ariUrl, username, password, ...lines], {
    logFile: join(lab.dir, 'reference.log'),
    aliveFile: '-',
  });
  await waitFor(async () => (await lab.asterisk.cli('ari show apps')).includes('ringline'), {
    what: 'the reference to connect',
  });
  const parts = { control: reference.pid, asterisk: lab.asterisk.pid };
  const { completed, cpuMsPerCall, inviteMs, coldInviteMs } = await run(lab, load, drivenTargets, parts);
  await reference.stop();
  return {
    completed,
    records: 0,
    answered: 0,
    unanswered: {},
    webhooks: 0,
    settledSeconds: 0,
    cpuMsPerCall,
    commits: { perCall: 0, meanMs: 0 },
    latencyMs: { stasisToAgentInvite: inviteMs, coldStasisToAgentInvite: coldInviteMs },
  };
}

/** Ringline as telephony and worker in processes of their own, with a stream for every agent and one webhook endpoint. */
export async function measureRingline(
  lab: Lab,
  kind: Kind,
  load: Load & { readonly profileDir?: string | undefined },
): Promise<Measured> {
  const nodeOptions = load.profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${load.profileDir}`];
  const env = { LOG_LEVEL: 'warn' };
  const telephony = await startRingline(lab, { name: 'telephony', entry: 'bench/telephony.js', env, nodeOptions });
  const worker = await startRingline(lab, {
    name: 'worker',
    databaseUrl: telephony.databaseUrl,
    // The same key opens the secrets of both.
    env: { ...env, ROLE: 'worker', DATA_DIR: join(lab.dir, 'telephony', 'data') },
    nodeOptions,
  });
  const scene = await setScene(lab, telephony, kind);
  const receiver = await startReceiver(lab);
  await scene.call('POST', '/v1/webhook-endpoints', { body: { url: receiver.url, description: 'bench' } });
  const pops = await Promise.all(scene.agentIds.map((agentId) => readPops(telephony, scene, agentId)));

  const parts = {
    telephony: telephony.pid,
    worker: worker.pid,
    postgres: lab.postgres.pid ?? Number.NaN,
    redis: lab.redis.pid ?? Number.NaN,
    asterisk: lab.asterisk.pid,
  };
  let settledSeconds = Number.NaN;
  let records: Records = { ended: 0, answered: 0, unanswered: {} };
  let storedBefore = await readCommits(telephony);
  let webhooksBefore = 0;
  const begin = async (): Promise<void> => {
    storedBefore = await readCommits(telephony);
    webhooksBefore = receiver.count();
    receiver.forgetLags();
  };
  const end = async (): Promise<void> => {
    const lastAt = Date.now();
    const all = load.calls + WARM_UP_CALLS;
    await waitFor(async () => (await countRecords(scene)).ended >= all && receiver.callsEnded() >= all, {
      what: 'records and webhooks',
      timeoutMs: 60_000,
      everyMs: 250,
    }).catch(() => undefined);
    settledSeconds = (Date.now() - lastAt) / 1000;
    records = await countRecords(scene);
  };
  const measured = await run(lab, load, scene, parts, begin, end);
  const popTimes = new Map(pops.flatMap(({ seen }) => [...seen]));
  const stored = await readCommits(telephony);
  const commits = stored.count - storedBefore.count;
  const popMs = [...measured.arrivedAt].flatMap(([caller, at]) => {
    const poppedAt = popTimes.get(caller);
    return poppedAt === undefined ? [] : [poppedAt - at];
  });
  for (const pop of pops) pop.stop();
  await telephony.stop();
  await worker.stop();
  await receiver.stop();
  return {
    completed: measured.completed,
    records: records.ended - WARM_UP_CALLS,
    answered: records.answered - WARM_UP_CALLS,
    unanswered: records.unanswered,
    webhooks: receiver.count() - webhooksBefore,
    settledSeconds: round(settledSeconds),
    cpuMsPerCall: measured.cpuMsPerCall,
    commits: {
      perCall: round(commits / load.calls),
      meanMs: round(((stored.seconds - storedBefore.seconds) * 1000) / commits),
    },
    latencyMs: {
      // Of calls that Ringline only watches nobody waits for it.
      ...(kind !== 'observed' && {
        stasisToAgentInvite: measured.inviteMs,
        coldStasisToAgentInvite: measured.coldInviteMs,
        stasisToPop: latency(popMs),
      }),
      eventToWebhook: latency(receiver.lagsMs()),
    },
  };
}

/** Places the calls, and tells what they cost and how long the agents' phones waited for their INVITE. */
async function run(
  lab: Lab,
  { rate, calls }: Load,
  { phones, dids }: Targets,
  parts: Readonly<Record<string, number>>,
  begin: () => Promise<void> = () => Promise.resolve(),
  end: () => Promise<void> = () => Promise.resolve(),
): Promise<{
  completed: number;
  cpuMsPerCall: Record<string, number>;
  inviteMs: Latency;
  coldInviteMs: Latency;
  arrivedAt: ReadonlyMap<string, number>;
}> {
  const phone = await lab.sipp.phone({ register: phones, ringMs: 50, media: 'none' });
  const place = (first: number, count: number): Promise<Caller> =>
    lab.sipp.caller({
      calls: Array.from({ length: count }, (_, i) => ({
        from: callerOf(first + i),
        to: dids[i % dids.length] as string,
      })),
      count,
      rate,
      talkMs: TALK_MS,
      media: 'none',
    });
  await (
    await place(FIRST_WARM_UP_CALLER, WARM_UP_CALLS)
  ).done;
  await sleep(REST_MS);
  await begin();
  const before = times(parts);
  const caller = await place(0, calls);
  await caller.done;
  await end();
  const after = times(parts);
  const cpuMsPerCall = Object.fromEntries(
    Object.keys(parts).map((part) => [part, round(((after[part] ?? 0) - (before[part] ?? 0)) / calls)]),
  );
  const placed = await caller.calls();
  const all = arrivals(await lab.asterisk.cel());
  const warmUp = new Set(Array.from({ length: WARM_UP_CALLS }, (_, i) => callerOf(FIRST_WARM_UP_CALLER + i)));
  const arrivedAt = new Map([...all].filter(([from]) => !warmUp.has(from)));
  const waits = await inviteWaits(phone, arrivedAt);
  const coldWaits = await inviteWaits(phone, new Map([...all].filter(([from]) => warmUp.has(from))));
  await phone.stop();
  return {
    completed: placed.filter((call) => call.answeredAt !== undefined && call.byeAt !== undefined && call.byeBy === 'us')
      .length,
    cpuMsPerCall,
    inviteMs: latency(waits),
    coldInviteMs: latency(coldWaits),
    arrivedAt,
  };
}

/** When each caller was given to the app, by Asterisk's own log. */
function arrivals(cel: readonly CelRow[]): ReadonlyMap<string, number> {
  const starts = cel.filter(({ event, app, context }) => event === 'APP_START' && app === 'Stasis' && context !== '');
  return new Map(starts.map(({ callerNumber, at }) => [callerNumber, at]));
}

async function inviteWaits(phone: Phone, arrivedAt: ReadonlyMap<string, number>): Promise<number[]> {
  return (await phone.calls()).flatMap((call) => {
    const at = arrivedAt.get(call.fromUser ?? '');
    return at === undefined ? [] : [call.inviteAt - at];
  });
}

function times(parts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(parts).map(([part, pid]) => [part, processorMs(pid)]));
}

function latency(values: readonly number[]): Latency {
  return { p50: round(quantile(values, 0.5)), p99: round(quantile(values, 0.99)) };
}

async function readCommits({ metricsUrl }: LabRingline): Promise<{ count: number; seconds: number }> {
  const text = await (await fetch(metricsUrl)).text();
  const read = (name: string): number => Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1] ?? 0);
  return { count: read('ringline_ledger_commit_seconds_count'), seconds: read('ringline_ledger_commit_seconds_sum') };
}

type Records = { ended: number; answered: number; unanswered: Record<string, number> };

async function countRecords(scene: Scene): Promise<Records> {
  const found: Records = { ended: 0, answered: 0, unanswered: {} };
  for (const { status, outcome, outcomeReason } of await allCalls(scene)) {
    if (status !== 'ended') continue;
    found.ended++;
    if (outcome === 'answered') found.answered++;
    else found.unanswered[outcomeReason ?? ''] = (found.unanswered[outcomeReason ?? ''] ?? 0) + 1;
  }
  return found;
}

/** An agent's stream: when each caller's pop came. */
async function readPops(
  ringline: LabRingline,
  scene: Scene,
  agentId: string,
): Promise<{ seen: Map<string, number>; stop(): void }> {
  const token = (await scene.call('POST', '/v1/stream-tokens', { body: { agentId } })).body.token as string;
  const abort = new AbortController();
  const response = await fetch(`${ringline.url}/v1/stream?token=${token}`, { signal: abort.signal });
  const seen = new Map<string, number>();
  void (async () => {
    let text = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const frame = text.slice(0, end);
        text = text.slice(end + 2);
        if (!frame.includes('event: pop')) continue;
        const data = JSON.parse(
          frame
            .split('\n')
            .find((line) => line.startsWith('data: '))
            ?.slice(6) ?? '{}',
        ) as { from: { raw: string } };
        seen.set(data.from.raw, Date.now());
      }
    }
  })().catch(() => undefined);
  return { seen, stop: () => abort.abort() };
}

/** Receives webhooks: how many, how many ends of calls, and how long after their events. */
async function startReceiver(lab: Lab): Promise<{
  readonly url: string;
  count(): number;
  callsEnded(): number;
  lagsMs(): readonly number[];
  forgetLags(): void;
  stop(): Promise<void>;
}> {
  let count = 0;
  let ended = 0;
  let lags: number[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const event = JSON.parse(Buffer.concat(chunks).toString()) as { type: string; timestamp: string };
      count++;
      if (event.type === 'call.ended') ended++;
      lags.push(Date.now() - Date.parse(event.timestamp));
      response.writeHead(204).end();
    });
  });
  const port = await lab.ports.next();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${port}/events`,
    count: () => count,
    callsEnded: () => ended,
    lagsMs: () => lags,
    forgetLags: () => {
      lags = [];
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

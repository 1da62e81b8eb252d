import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { startRingline, type LabRingline } from '../lab/ringline.js';
import { startLab, type Lab } from '../lab/start-lab.js';
import { waitFor } from '../lab/wait-for.js';
import { createDataSource } from '../src/database/data-source.js';
import { processorMs } from './processor-time.js';
import { setDrivenScene, type Scene } from './scene.js';
import { round } from './statistics.js';

/** With so many calls up. */
export type LiveFigures = {
  readonly live: number;
  /** In use after a collection, and what that is a call more than before the first of them, MB and kB. */
  readonly heapMb: number;
  readonly heapKbPerCall: number;
  readonly residentMb: number;
  /** Processor time of telephony, worker and PostgreSQL while nothing but holding them is done, ms a second. */
  readonly idleMsPerSecond: Readonly<Record<string, number>>;
  /** While short calls come and go beside them: what an event of Asterisk costs, and a short call, ms, less what is idle. */
  readonly events: number;
  readonly telephonyMsPerEvent: number;
  readonly msPerShortCall: Readonly<Record<string, number>>;
  /** Short calls that were answered and have a record, of those that were placed. */
  readonly shortCalls: number;
  readonly answered: number;
};

const RISE_PER_SECOND = 10;
const SHORT_PER_SECOND = 5;
const SHORT_CALLS = 150;
const IDLE_MS = 35_000;
/** Ringline keeps ended calls in memory for a minute; then another one has to come for it to look. */
const FORGOTTEN_MS = 65_000;
const FEW = 20;
const ALMOST = 0.99;

type Parts = Readonly<Record<'telephony' | 'worker' | 'postgres', number>>;
type Pbx = { readonly lab: Lab; readonly scene: Scene };
type World = {
  readonly telephony: LabRingline;
  readonly pbxs: readonly [Pbx, Pbx];
  readonly parts: Parts;
};

/**
 * Real calls that stay up, ever more of them: what one costs in memory, and whether what happens beside them costs more. Half of
 * them on each of two PBXs, for Asterisk takes ten descriptors a call, and a process may often have no more than 20,000.
 */
export async function measureLiveCalls(
  levels: readonly number[],
  say: (line: string) => void,
): Promise<{ held: boolean; figures: { live: LiveFigures[] } }> {
  const [lab, other] = await Promise.all([startLab(), startLab({ postgres: false, redis: false })]);
  try {
    const world = await begin(lab, other);
    await shortCalls(world, FEW);
    await sleep(FORGOTTEN_MS);
    await shortCalls(world, 1);
    const empty = await heapBytes(world.telephony);
    const live: LiveFigures[] = [];
    let up = 0;
    for (const level of levels) {
      if (up > 0) await sleep(FORGOTTEN_MS);
      await hold(world, level - up, up);
      up = level;
      live.push(await measureAt(world, level, empty));
      say(JSON.stringify(live.at(-1)));
    }
    return { held: live.every(({ shortCalls: placed, answered }) => answered >= placed * ALMOST), figures: { live } };
  } finally {
    await Promise.all([lab.stop(), other.stop()]);
  }
}

async function begin(lab: Lab, other: Lab): Promise<World> {
  const env = { LOG_LEVEL: 'warn' };
  const nodeOptions = ['--expose-gc'];
  const telephony = await startRingline(lab, { name: 'telephony', entry: 'bench/telephony.js', env, nodeOptions });
  const worker = await startRingline(lab, {
    name: 'worker',
    databaseUrl: telephony.databaseUrl,
    // The same key opens the secrets of both.
    env: { ...env, ROLE: 'worker', DATA_DIR: join(lab.dir, 'telephony', 'data') },
  });
  const pbxs = [await pbx(lab, telephony, 'one'), await pbx(other, telephony, 'other')] as const;
  const parts = { telephony: telephony.pid, worker: worker.pid, postgres: lab.postgres.pid ?? Number.NaN };
  return { telephony, pbxs, parts };
}

async function pbx(lab: Lab, telephony: LabRingline, nodeName: string): Promise<Pbx> {
  const scene = await setDrivenScene(lab, telephony, { nodeName });
  await lab.sipp.phone({ register: scene.phones, ringMs: 50, media: 'none' });
  return { lab, scene };
}

async function measureAt(world: World, live: number, emptyBytes: number): Promise<LiveFigures> {
  const { telephony, parts } = world;
  const heap = await heapBytes(telephony);
  const residentMb = (await metric(telephony, 'process_resident_memory_bytes')) / 2 ** 20;
  const idle = await during(parts, () => sleep(IDLE_MS));
  const eventsBefore = await metric(telephony, 'ringline_ari_events_total');
  let answered = 0;
  const busy = await during(parts, async () => (answered = await shortCalls(world, SHORT_CALLS)));
  const events = (await metric(telephony, 'ringline_ari_events_total')) - eventsBefore;
  const extra = (part: keyof Parts): number => busy.ms[part] - (idle.ms[part] / idle.seconds) * busy.seconds;
  const each = (of: (part: keyof Parts) => number): Record<string, number> =>
    Object.fromEntries((Object.keys(parts) as (keyof Parts)[]).map((part) => [part, round(of(part))]));
  return {
    live,
    heapMb: round(heap / 2 ** 20),
    heapKbPerCall: round((heap - emptyBytes) / 1024 / live),
    residentMb: round(residentMb),
    idleMsPerSecond: each((part) => idle.ms[part] / idle.seconds),
    events,
    telephonyMsPerEvent: round(extra('telephony') / events),
    msPerShortCall: each((part) => extra(part) / SHORT_CALLS),
    shortCalls: SHORT_CALLS,
    answered,
  };
}

async function during(
  parts: Parts,
  run: () => Promise<unknown>,
): Promise<{ ms: Record<keyof Parts, number>; seconds: number }> {
  const read = (): Record<keyof Parts, number> => ({
    telephony: processorMs(parts.telephony),
    worker: processorMs(parts.worker),
    postgres: processorMs(parts.postgres),
  });
  const before = read();
  const startedAt = performance.now();
  await run();
  const after = read();
  const ms = {
    telephony: after.telephony - before.telephony,
    worker: after.worker - before.worker,
    postgres: after.postgres - before.postgres,
  };
  return { ms, seconds: (performance.now() - startedAt) / 1000 };
}

/** Adds calls that stay up. Settles when the records say so of all of them. */
async function hold({ telephony, pbxs }: World, count: number, first: number): Promise<void> {
  for (const { lab, scene } of pbxs) {
    // Short calls go to the last two phones.
    const dids = scene.dids.slice(0, -2);
    await lab.sipp.caller({
      calls: Array.from({ length: Math.ceil(count / pbxs.length) }, (_, i) => ({
        from: `+4930${3_000_000 + first + i}`,
        to: dids[i % dids.length] as string,
      })),
      rate: RISE_PER_SECOND / pbxs.length,
      media: 'none',
    });
  }
  const source = createDataSource(telephony.databaseUrl);
  await source.initialize();
  try {
    const up = async (): Promise<number> => {
      const [row]: { count: number }[] = await source.query(
        `select count(*)::int from call where ended_at is null and status = 'answered'`,
      );
      return row?.count ?? 0;
    };
    await waitFor(async () => (await up()) >= first + count, {
      what: `${first + count} calls to be up`,
      timeoutMs: (count / RISE_PER_SECOND) * 1000 + 60_000,
      everyMs: 1_000,
    });
  } finally {
    await source.destroy();
  }
}

/** Calls that come, are answered and end. Gives how many of them were. */
async function shortCalls({ pbxs: [{ lab, scene }] }: World, count: number): Promise<number> {
  const dids = scene.dids.slice(-2);
  const caller = await lab.sipp.caller({
    calls: dids.map((to) => ({ from: '+4930111222', to })),
    count,
    rate: SHORT_PER_SECOND,
    talkMs: 1_000,
    media: 'none',
  });
  await caller.done;
  return (await caller.calls()).filter(({ answeredAt, byeBy }) => answeredAt !== undefined && byeBy === 'us').length;
}

/** In use after everything that can go has gone. */
async function heapBytes(telephony: LabRingline): Promise<number> {
  telephony.signal('SIGUSR2');
  await sleep(2_000);
  return metric(telephony, 'nodejs_heap_size_used_bytes');
}

async function metric({ metricsUrl }: LabRingline, name: string): Promise<number> {
  const text = await (await fetch(metricsUrl)).text();
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (.+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
}

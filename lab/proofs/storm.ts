import { setTimeout as sleep } from 'node:timers/promises';

import type { Timeline } from '../../src/calls/calls.schema.js';
import type { Call } from '../../src/calls/domain/call.js';
import { allCalls } from '../all-calls.js';
import { startLab, type Lab } from '../start-lab.js';
import { waitFor } from '../wait-for.js';
import { leftovers, settled } from './aftermath.js';
import { KILL, type Blow, type Struck } from './blows.js';
import { clicksHeld, startClicks, type ClickFigures } from './clicks.js';
import { addLine, layOut, type Field } from './field.js';
import { FALLBACK_WITHIN_MS, judge, type Judgement } from './judge.js';
import { HEALED_WITHIN_MS, readStore, type Stored } from './stored.js';

export type BlowFigures = Omit<Struck, 'healedAt'> & {
  readonly what: string;
  /** Ms since 1970. */
  readonly begunAt: number;
  /** From the moment at which all was whole again until the last news of a call that had been over by then, ms. */
  readonly healMs?: number;
  /** The same of the last detail that stands in no log, such as a SIP Call-ID, ms; none where that was no later. */
  readonly lastDetailMs?: number;
  /** What of it came too late, in words. */
  readonly late?: readonly string[];
};

export type StormFigures = Judgement & {
  /** What of the estimated records was inferred, in words. */
  readonly inferred: readonly string[];
  readonly clicks?: ClickFigures;
  readonly blows: readonly BlowFigures[];
  readonly openRecords: number;
  readonly channelsLeft: number;
  readonly bridgesLeft: number;
  readonly deliveries: number;
  /** Events that an endpoint got under two ids. */
  readonly twoIds: number;
  /** Events that the endpoint did not get, by what became of them: they wait, or gave way to a later one of their call. */
  readonly notGot: Readonly<Record<string, number>>;
  /** Those of them that it should have got, and those that are not in the published queue. */
  readonly undelivered: number;
  readonly unqueued: number;
};

export type StormOptions = {
  readonly callsPerSecond: number;
  readonly seconds: number;
  readonly blows: readonly Blow[];
  /** Ringline reads the switch's own log too. */
  readonly readsCel?: boolean;
  /** The blows wait for moments on the wires, and click-to-calls are placed besides. */
  readonly isWired?: boolean;
  readonly report: (line: string) => void;
};

const LINES = 3;
/** What may become of an event that an endpoint has not got. */
const willCome: ReadonlySet<string> = new Set(['pending', 'gave way']);

/** Incoming calls at a steady rate while Ringline is hit; afterwards every record is compared with the switch's own log. */
export async function storm(options: StormOptions): Promise<StormFigures> {
  const lab = await startLab({ postgres: 'own', redis: 'own' });
  try {
    return await runStorm(lab, options);
  } finally {
    await lab.stop();
  }
}

async function runStorm(
  lab: Lab,
  { callsPerSecond, seconds, blows, readsCel = false, isWired = false, report }: StormOptions,
): Promise<StormFigures> {
  const field = await layOut(lab, { readsCel, isWired, report });
  const { company, ringline, receiver } = field;
  const dids = [company.did];
  for (let n = 2; n <= LINES; n++) dids.push(await addLine(field, n));

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
        calls: Array.from({ length: count }, (_, n) => ({
          from: `+4930${i + 1}${100_000 + n}`,
          to: dids[i] as string,
        })),
        count,
        rate: count / seconds,
        media: 'none',
        ...behaviour[i],
      }),
    ),
  );
  const clicks = isWired ? await startClicks(field) : null;
  const struck = await strikeAll(field, blows, startedAt);
  await clicks?.stop();
  await Promise.all(callers.map(({ done }) => done));
  report('all calls are over; waiting for the records');
  const openRecords = await settled(company);
  const left = await leftovers(lab);
  const stored = await delivered(field, seconds < 60 ? 10_000 : 60_000);
  const sipCalls = (await Promise.all(callers.map((caller) => caller.calls()))).flat();
  const stops = struck.flatMap(({ stoppedAt }) => stoppedAt ?? []);
  const records = await allCalls(company);
  // Before they are judged: that takes a while, and kept connections may be closed meanwhile.
  const inferredTimes = await inferred(field, records);
  const incoming = records.filter(({ direction }) => direction === 'inbound');
  const kills = struck.flatMap(({ killedAt: at, restartMs = 0 }) =>
    at === undefined ? [] : { at, backAt: at + restartMs },
  );
  const judged = judge(sipCalls, incoming, await lab.asterisk.cel(), { stops, kills, hasLog: readsCel });
  const notGot: Record<string, number> = {};
  for (const id of stored.events.filter((event) => !receiver.has(event))) {
    const fate = stored.fates.get(id) ?? 'no delivery';
    notGot[fate] = (notGot[fate] ?? 0) + 1;
  }
  const figures: StormFigures = {
    ...judged,
    estimated: records.filter(({ estimated }) => estimated).length,
    inferred: inferredTimes,
    ...(clicks !== null && { clicks: await clicks.judge(records) }),
    blows: struck.map(({ begunAt, healedAt, ...told }) => ({
      ...told,
      begunAt,
      ...(healedAt !== undefined && healing(stored, begunAt, healedAt)),
    })),
    openRecords,
    ...left,
    deliveries: receiver.deliveries(),
    twoIds: receiver.twoIds(),
    notGot,
    undelivered: Object.entries(notGot).reduce((sum, [fate, n]) => (willCome.has(fate) ? sum : sum + n), 0),
    unqueued: stored.events.filter((id) => !stored.queued.has(id)).length,
  };
  await Promise.all(phones.map((phone) => phone.stop()));
  await ringline.stop();
  await receiver.stop();
  return figures;
}

async function strikeAll(
  field: Field,
  blows: readonly Blow[],
  startedAt: number,
): Promise<(Struck & { readonly what: string; readonly begunAt: number })[]> {
  const struck = [];
  for (const { at, what, strike } of blows) {
    await sleep(Math.max(0, startedAt + at * 1000 - Date.now()));
    field.report(`${at} s: ${what}`);
    const begunAt = Date.now();
    struck.push({ what, begunAt, ...(await strike(field)) });
  }
  return struck;
}

/** Records of which it is told what was inferred: more do not make it clearer. */
export const MOST_INFERRED = 50;

async function inferred({ company }: Field, records: readonly Call[]): Promise<string[]> {
  const said: string[] = [];
  for (const { id } of records.filter(({ estimated }) => estimated).slice(0, MOST_INFERRED)) {
    const { body } = await company.call('GET', `/v1/calls/${id}/timeline`);
    const items = body['items'] as Timeline['items'];
    said.push(...items.filter(({ estimated }) => estimated).map(({ at, text }) => `${id} ${at}: ${text}`));
  }
  return said;
}

/** What is stored when all webhooks are delivered, or so many ms have passed: who was killed holds a claim for 45 s. */
async function delivered({ ringline, lab }: Field, patienceMs: number): Promise<Stored> {
  const read = (): Promise<Stored> => readStore(ringline.databaseUrl, lab.redis.url);
  await waitFor(async () => ![...(await read()).fates.values()].includes('pending'), {
    what: 'webhooks to be delivered',
    timeoutMs: patienceMs,
    everyMs: 1_000,
  }).catch(() => undefined);
  return read();
}

function healing(stored: Stored, from: number, until: number): Pick<BlowFigures, 'healMs' | 'lastDetailMs' | 'late'> {
  const { lastMs: healMs, lastDetailMs, late } = stored.newsOf(from, until);
  return { healMs, ...(lastDetailMs > healMs && { lastDetailMs }), ...(late.length > 0 && { late }) };
}

/** Whether all that was promised held. */
export function stormHeld(figures: StormFigures): boolean {
  return (
    figures.wrong.length === 0 &&
    (figures.clicks === undefined || clicksHeld(figures.clicks)) &&
    // Only who came in the moment of a kill.
    figures.diedWithKill <= figures.blows.filter(({ what }) => what === KILL).length &&
    figures.openRecords === 0 &&
    figures.channelsLeft === 0 &&
    figures.bridgesLeft === 0 &&
    figures.twoIds === 0 &&
    figures.undelivered === 0 &&
    figures.unqueued === 0 &&
    figures.slowestFallbackMs <= FALLBACK_WITHIN_MS &&
    figures.longestAloneMs <= 2_000 &&
    figures.slowestAfterStopMs <= 2_000
  );
}

/** Whether each cut that lasted long enough to be told was told within 10 s, and all was right within 15 s after it. */
export function healedInTime({ blows }: StormFigures): boolean {
  return blows.every(
    ({ noticedMs, healMs }) =>
      (noticedMs == null || noticedMs <= 10_000) && (healMs === undefined || healMs <= HEALED_WITHIN_MS),
  );
}

import { backlogHeld, proveBacklog } from './backlog.js';
import { proveBlind } from './blind.js';
import { failpoints, killAt, type Failpoint } from './failpoints.js';
import { readFixtures } from '../replay/fixture.js';
import { fuzz } from '../replay/fuzz.js';
import { proveLostAnswers } from './lost-answers.js';
import { provePop } from './pop.js';
import { proveDisorder } from './replay.js';
import * as blow from './blows.js';
import { crmHeld, proveCrm } from './crm/crm.js';
import { crmBackfillHeld, proveCrmBackfill } from './crm/crm-backfill.js';
import { canaryHeld, proveCanary } from './canary.js';
import { healedInTime, MOST_INFERRED, storm, stormHeld, type StormFigures } from './storm.js';
import { proveWebhooks, webhooksHeld } from './webhooks.js';

export type Asked = {
  readonly seed: number;
  /** The proof is cut to fit into this, ms; what follows the load, such as the waiting for records, comes on top. */
  readonly limitMs: number;
  readonly calls: number;
  /** Of what is repeated many times: orders of each stream, frames that are mutated. As many as make the proof unless given. */
  readonly runs: number | undefined;
  readonly report: (line: string) => void;
};
export type Proved = { readonly held: boolean; readonly figures: unknown };

const CALLS_PER_SECOND = 5;
/** Before the first call and after the last: a lab that starts, records that are waited for, ms. */
const AROUND_MS = 30_000;
/** Between kills at moments, s: a caller who meets two of them waits twice as long for the fall-back. */
const KILL_EVERY_S = 15;
/** One run of the demo, ms. */
const DEMO_MS = 20_000;
/** A lost answer in each of six ways costs a call so long, ms; twenty go side by side. */
const LOST_ANSWER_MS = 12_000;

/** What the heap in use may vary by, after what is made once has been made, MB. */
const HEAP_MARGIN_MB = 8;

/** There is a minute or so, not all the time that the proof takes. */
function isShort(limitMs: number): boolean {
  return limitMs < 300_000;
}

async function storms(
  { limitMs, report }: Asked,
  longest: number,
  blowsIn: (seconds: number) => blow.Blow[],
  readsCel = false,
): Promise<Proved> {
  const seconds = Math.min(longest, Math.max(20, Math.floor((limitMs - AROUND_MS) / 1000)));
  const figures = await storm({ callsPerSecond: CALLS_PER_SECOND, seconds, blows: blowsIn(seconds), readsCel, report });
  // The log knows every caller who came into our app, and when.
  const held =
    stormHeld(figures) && healedInTime(figures) && (!readsCel || figures.neverInApp + timesLost(figures) === 0);
  return { held, figures };
}

/** A blow every eight seconds: three kills, three requests to stop; of each sort one where time is short. */
function kills(seconds: number): blow.Blow[] {
  const { kill, terminate } = blow;
  const all = [kill, kill, kill, terminate, terminate, terminate];
  return (seconds < 60 ? [kill, terminate] : all).map((strike, i) => strike(8 + 8 * i));
}

/** Cut off from Asterisk for five seconds, half a minute and five minutes; where time is short, for as long as is noticed. */
function partitions(seconds: number): blow.Blow[] {
  if (seconds < 420) return [blow.partition(5, 12)];
  return [blow.partition(10, 5), blow.partition(40, 30), blow.partition(100, 300)];
}

/** Times that were inferred though Asterisk's log is read. It does not tell of a phone that rings. */
function timesLost({ estimated, inferred }: StormFigures): number {
  const lost = inferred.filter((said) => !said.endsWith(' rang.'));
  // Of more than that only the number is known.
  return estimated > MOST_INFERRED ? estimated : lost.length;
}

/** What Ringline needs fails, one after the other. */
function outages(seconds: number): blow.Blow[] {
  const { flushedRedis, frozenPostgres, withoutPostgres, withoutRedis } = blow;
  if (seconds < 200) return [withoutPostgres(5, 6), flushedRedis(20)];
  return [withoutPostgres(10, 30), frozenPostgres(65, 30), flushedRedis(120), withoutRedis(140, 30)];
}

/** Those that lose real packets, where the kernel lets them have a network of their own. */
export const inOwnNetworks: ReadonlySet<string> = new Set(['partition']);

/** What proofs take that are not whole within a quarter of an hour, s. */
const secondsNeeded: Readonly<Record<string, number>> = { 'kills-at': 3_600, canary: 1_300, replay: 6_000 };

/** A bound within which a proof is whole, s. */
export function secondsOf(proof: string): number {
  return secondsNeeded[proof] ?? 900;
}

/** What is proved at length, on real parts. By name, as `npm run prove` takes it. */
export const proofs: Readonly<Record<string, (asked: Asked) => Promise<Proved>>> = {
  'lost-answers': async ({ seed, limitMs, calls, report }) => {
    const callsPerKind = Math.min(calls, Math.max(5, Math.floor(limitMs / LOST_ANSWER_MS)));
    const figures = await proveLostAnswers({ seed, limitMs: limitMs + AROUND_MS, callsPerKind, report });
    const held =
      figures.isComplete &&
      figures.survived &&
      figures.leftChannels === 0 &&
      figures.leftBridges === 0 &&
      figures.kinds.every(
        (kind) =>
          kind.doubleInvites === 0 &&
          kind.lost >= kind.calls * 0.95 &&
          kind.completed + kind.endedWithReason >= kind.calls * 0.95,
      );
    return { held, figures };
  },

  kills: (asked) => storms(asked, 60, kills),

  /** The same with Asterisk's log: nothing is estimated that it tells. */
  'kills-cel': (asked) => storms(asked, 60, kills, true),

  /** Killed every fifteen seconds, each time at another moment that matters; the seed says with which it begins. */
  'kills-at': async ({ seed, limitMs, report, runs = 20 }) => {
    const wanted = runs * failpoints.length;
    const fit = Math.max(2, Math.floor((limitMs - AROUND_MS) / 1000 / KILL_EVERY_S));
    // Each has a load of its own that goes on all the time. One alone would take two hours.
    const lanes = isShort(limitMs) ? 1 : 3;
    const each = Math.min(Math.ceil(wanted / lanes), fit);
    // One after another, or restarts that coincide would take longer than what is between them.
    const blowAt = (lane: number, i: number): number => Math.round(KILL_EVERY_S * (i + lane / lanes)) + 4;
    const run = (lane: number): Promise<StormFigures> => {
      const pointAt = (i: number): Failpoint =>
        failpoints[(seed - 1 + lane + i * lanes) % failpoints.length] as Failpoint;
      return storm({
        callsPerSecond: Math.ceil(CALLS_PER_SECOND / lanes),
        seconds: blowAt(lane, each),
        blows: Array.from({ length: each }, (_, i) => killAt(blowAt(lane, i), pointAt(i))),
        readsCel: true,
        isWired: true,
        report,
      });
    };
    const endured = await Promise.all(Array.from({ length: lanes }, (_, lane) => run(lane)));
    const struck = endured.flatMap(({ blows }) => blows);
    const hits = Object.fromEntries(
      failpoints.map(({ name }) => [name, struck.filter(({ what, isHit }) => what === name && isHit).length]),
    );
    const held =
      endured.every((figures) => stormHeld(figures) && figures.neverInApp + timesLost(figures) === 0) &&
      struck.every(({ isHit }) => isHit);
    const restartsMs = struck.map(({ restartMs }) => restartMs);
    const missed = struck.filter(({ isHit }) => !isHit);
    // What each blow did is told above.
    const told = endured.map((figures) => ({ ...figures, blows: undefined }));
    return { held, figures: { kills: struck.length, hits, restartsMs, missed, lanes: told } };
  },

  freeze: (asked) => storms(asked, 60, (seconds) => [blow.freeze(Math.floor(seconds / 4), Math.floor(seconds / 2))]),

  partition: (asked) => storms(asked, 430, partitions, true),

  outages: (asked) => storms(asked, 200, outages, true),

  /** Two hundred times cut off; five seconds go by until Ringline is back, who waits longer each time. */
  canary: async ({ limitMs, report }) => {
    const figures = await proveCanary({ disconnects: 200, limitMs: Math.max(15_000, limitMs - AROUND_MS), report });
    const isComplete = isShort(limitMs) || figures.disconnects === 200;
    return { held: isComplete && canaryHeld(figures), figures };
  },

  /** Ringline down for five minutes; Asterisk killed with fifty calls up. */
  blind: async ({ limitMs, report }) => {
    const seconds = Math.min(300, Math.max(10, Math.floor((limitMs - AROUND_MS) / 1000)));
    const figures = await proveBlind({ seconds, up: 50, report });
    const held =
      figures.complete === figures.calls &&
      figures.settledSeconds <= 60 &&
      figures.closedAfterKill === figures.upAtKill &&
      figures.markedAfterKill === figures.upAtKill &&
      figures.closedSeconds <= 10 &&
      figures.wrong.length === 0;
    return { held, figures };
  },

  replay: async ({ seed, limitMs, report, runs = isShort(limitMs) ? 50 : 10_000 }) => {
    const figures = await proveDisorder({ seed, runs, limitMs, report });
    return { held: figures.isComplete && figures.fixtures.every(({ broken }) => broken.length === 0), figures };
  },

  fuzz: async ({ seed, limitMs, runs = isShort(limitMs) ? 300_000 : 1_000_000 }) => {
    const figures = await fuzz(await readFixtures(), { seed, frames: runs, limitMs });
    const [warm = 0, ...later] = figures.heapMb.slice(1);
    const isFlat = later.every((mb) => mb < warm + HEAP_MARGIN_MB);
    const held = figures.frames >= runs && figures.faults.length === 0 && isFlat;
    return { held, figures: { seed, isFlat, ...figures } };
  },

  pop: async ({ limitMs, report }) => {
    const figures = await provePop({ runs: Math.min(20, Math.max(1, Math.floor(limitMs / DEMO_MS))), limitMs, report });
    return { held: figures.held === figures.asked, figures };
  },

  /** Ten minutes; in a short run the worker is killed as soon as it works. */
  webhooks: async ({ seed, limitMs, report }) => {
    const seconds = Math.min(600, Math.max(20, limitMs / 1000 - 60));
    const killEverySeconds = isShort(limitMs) ? 7 : 60;
    const figures = await proveWebhooks({ seed, seconds, killEverySeconds, report });
    return { held: webhooksHeld(figures), figures };
  },

  /** A million due deliveries, a tenth of them where time is short. */
  backlog: async ({ limitMs, report }) => {
    const figures = await proveBacklog(
      isShort(limitMs)
        ? { due: 100_000, picks: 100, drainSeconds: 8, compareSeconds: 8, report }
        : { due: 1_000_000, picks: 1_000, drainSeconds: 60, compareSeconds: 60, report },
    );
    return { held: backlogHeld(figures, !isShort(limitMs)), figures };
  },

  /** A thousand calls to each CRM, at the pace that its limits allow; in a short run some, and the worker is killed soon. */
  crm: async ({ seed, limitMs, report, runs }) => {
    const within = Math.max(20, limitMs / 1000 - 35);
    const figures = await proveCrm({
      seed,
      calls: runs ?? (isShort(limitMs) ? Math.floor(within) : 1_000),
      withinSeconds: isShort(limitMs) ? within : null,
      killEverySeconds: isShort(limitMs) ? 8 : 30,
      settleMs: isShort(limitMs) ? 240_000 : 600_000,
      report,
    });
    return { held: crmHeld(figures), figures };
  },

  /** Ten thousand past calls, which take a quarter of an hour; as many as fit where time is short. */
  'crm-backfill': async ({ seed, limitMs, report, runs }) => {
    const calls = runs ?? (isShort(limitMs) ? Math.max(100, Math.floor((limitMs - AROUND_MS) / 1000) * 12) : 10_000);
    const figures = await proveCrmBackfill({ seed, calls, report });
    return { held: crmBackfillHeld(figures, !isShort(limitMs)), figures };
  },
};

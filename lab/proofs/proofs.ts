import { backlogHeld, proveBacklog } from './backlog.js';
import { proveBlind } from './blind.js';
import { readFixtures } from '../replay/fixture.js';
import { fuzz } from '../replay/fuzz.js';
import { proveLostAnswers } from './lost-answers.js';
import { provePop } from './pop.js';
import { proveDisorder } from './replay.js';
import { storm, stormHeld, type Blow } from './storm.js';
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
  blowsIn: (seconds: number) => Blow[],
  readsCel = false,
): Promise<Proved> {
  const seconds = Math.min(longest, Math.max(20, Math.floor((limitMs - AROUND_MS) / 1000)));
  const figures = await storm({ callsPerSecond: CALLS_PER_SECOND, seconds, blows: blowsIn(seconds), readsCel, report });
  // The log knows every caller who came into our app, and when.
  return { held: stormHeld(figures) && (!readsCel || figures.neverInApp + figures.estimated === 0), figures };
}

/** A blow every eight seconds: three kills, three requests to stop; of each sort one where time is short. */
function kills(seconds: number): Blow[] {
  const all = ['kill', 'kill', 'kill', 'terminate', 'terminate', 'terminate'] as const;
  const some = seconds < 60 ? (['kill', 'terminate'] as const) : all;
  return some.map((what, i) => ({ at: 8 + 8 * i, what }));
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

  /** The same with Asterisk's log: nothing is estimated. */
  'kills-cel': (asked) => storms(asked, 60, kills, true),

  freeze: (asked) =>
    storms(asked, 60, (seconds) => [{ at: seconds / 4, what: { freezeSeconds: Math.floor(seconds / 2) } }]),

  partition: (asked) =>
    storms(asked, 50, (seconds) => [{ at: seconds / 4, what: { partitionSeconds: Math.min(15, seconds / 2) } }]),

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

  replay: async ({ seed, limitMs, report, runs = isShort(limitMs) ? 100 : 10_000 }) => {
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
};

import { proveLostAnswers } from './lost-answers.js';
import { provePop } from './pop.js';
import { storm, stormHeld, type Blow } from './storm.js';

export type Asked = {
  readonly seed: number;
  /** The proof is cut to fit into this, ms; what follows the load, such as the waiting for records, comes on top. */
  readonly limitMs: number;
  readonly calls: number;
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

async function storms(
  { limitMs, report }: Asked,
  longest: number,
  blowsIn: (seconds: number) => Blow[],
): Promise<Proved> {
  const seconds = Math.min(longest, Math.max(20, Math.floor((limitMs - AROUND_MS) / 1000)));
  const figures = await storm({ callsPerSecond: CALLS_PER_SECOND, seconds, blows: blowsIn(seconds), report });
  return { held: stormHeld(figures), figures };
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

  /** A blow every eight seconds: three kills, three requests to stop; of each sort one where time is short. */
  kills: (asked) =>
    storms(asked, 60, (seconds) => {
      const all = ['kill', 'kill', 'kill', 'terminate', 'terminate', 'terminate'] as const;
      const some = seconds < 60 ? (['kill', 'terminate'] as const) : all;
      return some.map((what, i) => ({ at: 8 + 8 * i, what }));
    }),

  freeze: (asked) =>
    storms(asked, 60, (seconds) => [{ at: seconds / 4, what: { freezeSeconds: Math.floor(seconds / 2) } }]),

  partition: (asked) =>
    storms(asked, 50, (seconds) => [{ at: seconds / 4, what: { partitionSeconds: Math.min(15, seconds / 2) } }]),

  pop: async ({ limitMs, report }) => {
    const figures = await provePop({ runs: Math.min(20, Math.max(1, Math.floor(limitMs / DEMO_MS))), limitMs, report });
    return { held: figures.held === figures.asked, figures };
  },
};

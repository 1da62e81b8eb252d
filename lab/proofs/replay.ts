import { makeTellable, tellInDisorder } from '../replay/disorder.js';
import { readFixtures } from '../replay/fixture.js';
import { makeLogged, makeObservedLogged, tellWithLogLast } from '../replay/log-last.js';
import { makeObservedTellable, tellObservedInDisorder } from '../replay/observed-disorder.js';
import { observedNames } from '../replay/observed-stream.js';

export type DisorderProof = {
  readonly seed: number;
  readonly runsAFixture: number;
  /** False when the time ran out before. */
  readonly isComplete: boolean;
  readonly runs: number;
  readonly microsecondsARun: number;
  readonly fixtures: readonly {
    readonly name: string;
    readonly told: number;
    readonly runs: number;
    /** The first of what did not hold, with the seed of the run. */
    readonly broken: readonly { readonly seed: number; readonly what: readonly string[] }[];
  }[];
};

/** All fixtures take turns, so that each has had its share should the time run out. */
const TURN = 250;
const MOST_TOLD_OF = 5;

/**
 * Every recorded stream, told in another order with repetitions, gaps and late ends; and once more with frames that are lost for
 * good and Asterisk's log last: is it always the same record?
 */
export async function proveDisorder(options: {
  readonly seed: number;
  readonly runs: number;
  readonly limitMs: number;
  readonly report: (line: string) => void;
}): Promise<DisorderProof> {
  const { seed, runs, limitMs, report } = options;
  const fixtures = await Promise.all([
    ...(await readFixtures()).map(async ({ name, entries, log }) => {
      const stream = await makeTellable(entries);
      const logged = await makeLogged(stream, log);
      return begun(name, stream.told.length, async (own) => [
        ...(await tellInDisorder(stream, own)),
        ...(await tellWithLogLast(logged, own)).map(withLog),
      ]);
    }),
    ...observedNames().map(async (name) => {
      const stream = await makeObservedTellable(name);
      const logged = await makeObservedLogged(name);
      return begun(`observed-${name}`, stream.told.length, async (own) => [
        ...(await tellObservedInDisorder(stream, own)),
        ...(await tellWithLogLast(logged, own)).map(withLog),
      ]);
    }),
  ]);
  const startedAt = performance.now();
  const until = startedAt + limitMs;
  for (let turn = 0; turn < runs && performance.now() < until; turn += TURN) {
    for (const fixture of fixtures) {
      for (; fixture.runs < Math.min(runs, turn + TURN); fixture.runs++) {
        const own = seed * runs + fixture.runs;
        const what = await fixture.tell(own);
        if (what.length > 0 && fixture.broken.length < MOST_TOLD_OF) fixture.broken.push({ seed: own, what });
      }
    }
    report(`${Math.min(runs, turn + TURN)} runs of each of ${fixtures.length} streams`);
  }
  const all = fixtures.reduce((sum, fixture) => sum + fixture.runs, 0);
  return {
    seed,
    runsAFixture: runs,
    isComplete: fixtures.every((fixture) => fixture.runs >= runs),
    runs: all,
    microsecondsARun: Math.round(((performance.now() - startedAt) * 1000) / Math.max(1, all)),
    fixtures: fixtures.map(({ name, told, runs: done, broken }) => ({
      name,
      told,
      runs: done,
      broken,
    })),
  };
}

function withLog(broken: string): string {
  return `with the log last, ${broken}`;
}

/** @param tell Gives what did not hold when the stream was told in the order of this seed. */
function begun(name: string, told: number, tell: (seed: number) => Promise<string[]>) {
  return { name, told, tell, runs: 0, broken: [] as { seed: number; what: readonly string[] }[] };
}

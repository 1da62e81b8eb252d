// One thread of `npm run prove -- replay`: its share of the many orders in which each stream is told.
import { parentPort, workerData } from 'node:worker_threads';

import { makeTellable, tellInDisorder } from '../replay/disorder.js';
import { readFixtures } from '../replay/fixture.js';
import { makeLogged, makeObservedLogged, tellWithLogLast } from '../replay/log-last.js';
import { makeObservedTellable, tellObservedInDisorder } from '../replay/observed-disorder.js';
import { observedNames } from '../replay/observed-stream.js';
import type { Share, ToldStream } from './replay.js';

/** Streams take turns, so that each has had its share should the time run out; threads too, or one would wait for the other. */
const TURN = 25;
const TOLD_EVERY = 40 * TURN;
const MOST_TOLD_OF = 5;

const { seed, runs, limitMs, thread, threads } = workerData as Share;
const streams = await Promise.all([
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
const until = performance.now() + limitMs;
for (let first = thread * TURN; first < runs && performance.now() < until; first += threads * TURN) {
  const end = Math.min(runs, first + TURN);
  for (const stream of streams) {
    for (let run = first; run < end; run++) {
      const own = seed * runs + run;
      const what = await stream.tell(own);
      stream.runs++;
      if (what.length > 0 && stream.broken.length < MOST_TOLD_OF) stream.broken.push({ seed: own, what });
    }
  }
  if (end % TOLD_EVERY === 0 || end === runs)
    parentPort?.postMessage(`${end} runs of each of ${streams.length} streams`);
}
parentPort?.postMessage(
  streams.map(({ name, told, runs: done, broken }): ToldStream => ({ name, told, runs: done, broken })),
);

function withLog(broken: string): string {
  return `with the log last, ${broken}`;
}

/** @param tell Gives what did not hold when the stream was told in the order of this seed. */
function begun(name: string, told: number, tell: (seed: number) => Promise<string[]>) {
  return { name, told, tell, runs: 0, broken: [] as { seed: number; what: readonly string[] }[] };
}

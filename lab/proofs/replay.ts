import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** A stream, in how many orders it was told, and the first of what did not hold, with the seed of the run. */
export type ToldStream = {
  readonly name: string;
  readonly told: number;
  readonly runs: number;
  readonly broken: readonly { readonly seed: number; readonly what: readonly string[] }[];
};

export type DisorderProof = {
  readonly seed: number;
  readonly runsAFixture: number;
  /** False when the time ran out before. */
  readonly isComplete: boolean;
  readonly runs: number;
  readonly threads: number;
  /** Of one thread. */
  readonly microsecondsARun: number;
  readonly fixtures: readonly ToldStream[];
};

type DisorderOptions = { readonly seed: number; readonly runs: number; readonly limitMs: number };

/** Which of the threads one is: they take turns with the orders of each stream. */
export type Share = DisorderOptions & { readonly thread: number; readonly threads: number };

/**
 * Every recorded stream, told in another order with repetitions, gaps and late ends; and once more with frames that are lost for
 * good and Asterisk's log last: is it always the same record?
 */
export async function proveDisorder({
  report,
  ...options
}: DisorderOptions & { readonly report: (line: string) => void }): Promise<DisorderProof> {
  const threads = availableParallelism();
  const startedAt = performance.now();
  const shares = await Promise.all(
    Array.from({ length: threads }, (_, thread) => runShare({ ...options, thread, threads }, report)),
  );
  const took = performance.now() - startedAt;
  const fixtures = (shares[0] ?? [])
    .map(({ name }) => together(shares.flat().filter((share) => share.name === name)))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const all = fixtures.reduce((sum, fixture) => sum + fixture.runs, 0);
  return {
    seed: options.seed,
    runsAFixture: options.runs,
    isComplete: fixtures.every(({ runs }) => runs >= options.runs),
    runs: all,
    threads,
    microsecondsARun: Math.round((took * 1000 * threads) / Math.max(1, all)),
    fixtures,
  };
}

/** What all threads told of one stream. */
function together(parts: readonly ToldStream[]): ToldStream {
  return {
    ...(parts[0] as ToldStream),
    runs: parts.reduce((sum, { runs }) => sum + runs, 0),
    broken: parts.flatMap(({ broken }) => broken),
  };
}

function runShare(share: Share, report: (line: string) => void): Promise<readonly ToldStream[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./replay-thread.js', import.meta.url), { workerData: share });
    worker.on('message', (message: string | readonly ToldStream[]) => {
      if (typeof message === 'string') report(message);
      else resolve(message);
    });
    worker.on('error', reject);
    worker.on('exit', (code) => reject(new Error(`a thread ended with code ${code} before it was done`)));
  });
}

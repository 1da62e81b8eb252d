import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OpeningQueue } from './opening-queue.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Openings that end when a test says so. */
function openings(queue: OpeningQueue) {
  const started: number[] = [];
  const ends: { finish: () => void; fail: () => void }[] = [];
  const begin = (n: number): Promise<number> =>
    queue.run(
      () =>
        new Promise((resolve, reject) => {
          started.push(n);
          ends[n] = { finish: () => resolve(n), fail: () => reject(new Error(`lost ${n}`)) };
        }),
    );
  return { started, ends, begin };
}
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

describe('the queue of opening streams', () => {
  it('runs four at a time, in order, and goes on after a failure', async () => {
    const { started, ends, begin } = openings(new OpeningQueue());
    const runs = [0, 1, 2, 3, 4, 5, 6].map(begin);
    const settled = Promise.allSettled(runs);
    await settle();
    expect(started).toEqual([0, 1, 2, 3]);
    ends[1]!.fail();
    await settle();
    expect(started).toEqual([0, 1, 2, 3, 4]);
    for (let n = 0; n < 7; n++) {
      ends[n]!.finish();
      await settle();
    }
    expect((await settled).map(({ status }) => status === 'fulfilled')).toEqual([
      true,
      false,
      true,
      true,
      true,
      true,
      true,
    ]);
  });

  it('turns away who waits too long, and keeps the places of what hangs', async () => {
    const { started, ends, begin } = openings(new OpeningQueue());
    const types: string[] = [];
    const runs = [0, 1, 2, 3, 4].map((n) => begin(n).catch(({ type }: { type: string }) => types.push(`${n} ${type}`)));
    await vi.advanceTimersByTimeAsync(10_000);
    await Promise.all(runs);
    expect(types).toEqual([0, 1, 2, 3].map((n) => `${n} database-unavailable`).concat('4 too-many-streams'));
    expect(started).toEqual([0, 1, 2, 3]);
    ends[2]!.finish();
    await settle();
    expect(started).toEqual([0, 1, 2, 3, 4]);
  });
});

import { describe, expect, it } from 'vitest';
import { OpeningQueue } from './opening-queue.js';

describe('the queue of opening streams', () => {
  it('runs four at a time, in order, and goes on after a failure', async () => {
    const queue = new OpeningQueue({ now: () => 0 });
    const started: number[] = [];
    const finish: (() => void)[] = [];
    const runs = Array.from({ length: 7 }, (_, n) =>
      queue.run(async () => {
        started.push(n);
        await new Promise<void>((resolve) => (finish[n] = resolve));
        if (n === 1) throw new Error('lost');
        return n;
      }),
    );
    const settled = Promise.allSettled(runs);
    await Promise.resolve();
    expect(started).toEqual([0, 1, 2, 3]);
    finish[1]!();
    await expect(runs[1]).rejects.toThrow('lost');
    await expect.poll(() => started).toEqual([0, 1, 2, 3, 4]);
    for (let n = 0; n < 7; n++) {
      await expect.poll(() => finish[n]).toBeDefined();
      finish[n]!();
    }
    expect((await settled).map(({ status }) => status)).toEqual(
      [0, 1, 2, 3, 4, 5, 6].map((n) => (n === 1 ? 'rejected' : 'fulfilled')),
    );
  });

  it('turns away who waited too long', async () => {
    let now = 0;
    const queue = new OpeningQueue({ now: () => now });
    let finish!: () => void;
    const first = Array.from({ length: 4 }, () => queue.run(() => new Promise<void>((resolve) => (finish = resolve))));
    const late = queue.run(() => Promise.resolve('open'));
    now = 10_001;
    finish();
    await expect(late).rejects.toMatchObject({ type: 'too-many-streams' });
    expect(first).toHaveLength(4);
  });
});

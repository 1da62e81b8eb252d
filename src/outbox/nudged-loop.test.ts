import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NudgedLoop } from './nudged-loop.js';

describe('nudged loop', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('sweeps when nobody nudges, and runs at once when somebody does', async () => {
    const rounds: boolean[] = [];
    const loop = new NudgedLoop((swept) => Promise.resolve(void rounds.push(swept)).then(() => false), 1_000, 0);
    loop.nudge();
    expect(rounds).toEqual([]);
    loop.start();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(rounds).toEqual([true, true]);
    loop.nudge();
    await vi.advanceTimersByTimeAsync(0);
    expect(rounds).toEqual([true, true, false]);
    await loop.stop();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(rounds).toHaveLength(3);
  });

  it('sweeps in time though somebody nudges all the time', async () => {
    const sweeps: number[] = [];
    const run = (swept: boolean): Promise<boolean> => {
      if (swept) sweeps.push(performance.now());
      return Promise.resolve(false);
    };
    const loop = new NudgedLoop(run, 1_000, 10);
    loop.start();
    const nudging = setInterval(() => loop.nudge(), 5);
    await vi.advanceTimersByTimeAsync(3_500);
    clearInterval(nudging);
    await loop.stop();
    expect(sweeps).toHaveLength(4);
  });

  it('sweeps at once when it is asked to, also when the sweep that was asked for failed and somebody nudges', async () => {
    const rounds: boolean[] = [];
    const run = (swept: boolean): Promise<boolean> => {
      rounds.push(swept);
      return rounds.length === 3 ? Promise.reject(new Error('no database')) : Promise.resolve(false);
    };
    const loop = new NudgedLoop(run, 3_600_000, 0);
    loop.start();
    await vi.advanceTimersByTimeAsync(0);
    loop.nudge();
    await vi.advanceTimersByTimeAsync(0);
    loop.sweep();
    await vi.advanceTimersByTimeAsync(0);
    loop.nudge();
    await vi.advanceTimersByTimeAsync(0);
    loop.nudge();
    await vi.advanceTimersByTimeAsync(0);
    expect(rounds).toEqual([true, false, true, true, false]);
    await loop.stop();
  });

  it('never runs twice at a time, and does what was nudged for meanwhile in one next round', async () => {
    let running = 0;
    let rounds = 0;
    const run = async (): Promise<boolean> => {
      running += 1;
      rounds += 1;
      expect(running).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 50));
      running -= 1;
      return false;
    };
    const loop = new NudgedLoop(run, 10_000, 20);
    loop.start();
    await vi.advanceTimersByTimeAsync(10);
    for (let i = 0; i < 5; i++) loop.nudge();
    await vi.advanceTimersByTimeAsync(200);
    expect(rounds).toBe(2);
    await loop.stop();
  });

  it('goes on at once while more is waiting, and after a round that failed', async () => {
    const results = [true, true, 'fails', false] as const;
    let rounds = 0;
    const run = (): Promise<boolean> => {
      const result = results[rounds] ?? false;
      rounds += 1;
      return result === 'fails' ? Promise.reject(new Error('broken')) : Promise.resolve(result);
    };
    const loop = new NudgedLoop(run, 60_000, 10);
    loop.start();
    await vi.advanceTimersByTimeAsync(100);
    expect(rounds).toBe(3);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(rounds).toBe(4);
    await loop.stop();
  });
});

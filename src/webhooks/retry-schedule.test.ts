import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retryDelayMs } from './retry-schedule.js';

describe('retry schedule', () => {
  const schedule = [0, 5, 30, 120];

  it('waits as scheduled, give or take a fifth', () => {
    expect(retryDelayMs(schedule, 1, undefined, 0.5)).toBe(5_000);
    expect(retryDelayMs(schedule, 2, undefined, 0)).toBe(24_000);
    expect(retryDelayMs(schedule, 3, undefined, 1)).toBe(144_000);
  });

  it('ends after its last attempt', () => {
    expect(retryDelayMs(schedule, 4, undefined, 0.5)).toBeNull();
    expect(retryDelayMs(schedule, 4, 60, 0.5)).toBeNull();
  });

  it('obeys Retry-After between once and twice the scheduled delay, never earlier than asked', () => {
    expect(retryDelayMs(schedule, 2, 45, 0)).toBe(45_000);
    expect(retryDelayMs(schedule, 2, 1, 0)).toBe(30_000);
    expect(retryDelayMs(schedule, 2, 86_400, 0)).toBe(60_000);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (asked, random) => {
        const delay = retryDelayMs(schedule, 2, asked, random) ?? 0;
        expect(delay).toBeGreaterThanOrEqual(Math.min(Math.max(asked, 30), 60) * 1000);
        expect(delay).toBeLessThanOrEqual(60_000);
      }),
    );
  });

  it('spreads what failed together', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), (random) => {
        const delay = retryDelayMs(schedule, 3, undefined, random) ?? 0;
        expect(delay).toBeGreaterThanOrEqual(96_000);
        expect(delay).toBeLessThanOrEqual(144_000);
      }),
    );
  });
});

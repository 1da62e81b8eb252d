import { describe, expect, it } from 'vitest';
import { Breaker } from './breaker.js';

describe('breaker', () => {
  function opened(): Breaker {
    const breaker = new Breaker();
    for (let i = 0; i < 8; i++) breaker.note(false, 0);
    return breaker;
  }

  it('stays closed as long as one of eight tries is taken', () => {
    const breaker = new Breaker();
    for (let i = 0; i < 80; i++) breaker.note(i % 8 === 7, i);
    expect(breaker.isClosed).toBe(true);
    expect(breaker.room(80, 4)).toBe(4);
  });

  it('opens after eight failures in a row, and lets one probe through after a second', () => {
    const breaker = opened();
    expect([0, 999, 1_000].map((now) => breaker.room(now, 4))).toEqual([0, 0, 1]);
  });

  it('doubles its pause with each probe that fails, up to a minute', () => {
    const breaker = opened();
    const pauses: number[] = [];
    for (let i = 0; i < 8; i++) {
      const now = breaker.openUntil;
      breaker.note(false, now);
      pauses.push(breaker.openUntil - now);
    }
    expect(pauses).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it('does not count what was on its way when it opened', () => {
    const breaker = opened();
    for (let i = 0; i < 3; i++) breaker.note(false, 500);
    expect(breaker.openUntil).toBe(1_000);
  });

  it('closes with the first try that is taken', () => {
    const breaker = opened();
    breaker.note(true, 1_000);
    expect(breaker.isClosed).toBe(true);
    expect(breaker.room(1_000, 4)).toBe(4);
    for (let i = 0; i < 7; i++) breaker.note(false, 1_001);
    expect(breaker.isClosed).toBe(true);
  });
});

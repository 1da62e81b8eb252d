import { describe, expect, it } from 'vitest';
import { Tries } from './door-tries.js';

describe('tries at a door', () => {
  it('are so many a minute for each name, and begin anew with the next', () => {
    let now = 60_000 * 1_000 + 20_000;
    const tries = new Tries(2, () => now);
    expect([tries.take('a'), tries.take('a'), tries.take('a')]).toEqual([null, null, 40]);
    expect(tries.take('b')).toBeNull();
    now += 40_000;
    expect(tries.take('a')).toBeNull();
  });

  it('do not fill the memory when somebody makes names up', () => {
    const tries = new Tries(2, () => 0);
    for (let i = 0; i < 10_000; i++) tries.take(`name ${i}`);
    expect([tries.take('x'), tries.take('y'), tries.take('z')]).toEqual([null, null, 60]);
    expect(tries.take('name 1')).toBeNull();
  });
});

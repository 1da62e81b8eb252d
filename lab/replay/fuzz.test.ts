import { describe, expect, it } from 'vitest';
import { readFixtures } from './fixture.js';
import { fuzz } from './fuzz.js';

describe('mutated frames', () => {
  it('neither throw nor make a record that cannot be stored, and every call ends', async () => {
    const figures = await fuzz(await readFixtures(), { seed: 1, frames: 5_000, limitMs: 15_000 });
    expect(figures.faults).toEqual([]);
    expect(figures.badFrames).toBeGreaterThan(500);
    expect(figures.told).toBeGreaterThan(1_000);
  });
});

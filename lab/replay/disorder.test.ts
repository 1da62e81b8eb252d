import { describe, expect, it } from 'vitest';
import { makeTellable, tellInDisorder } from './disorder.js';
import { readFixtures } from './fixture.js';

/** `npm run prove -- replay` runs ten thousand of each. */
const RUNS = 60;

const fixtures = await readFixtures();

describe('a recorded stream in any order, with repetitions, gaps that are filled and late ends', () => {
  it.each(fixtures)('$name gives the same record, and its events count up', async ({ entries }) => {
    const stream = await makeTellable(entries);
    expect(stream.records.size).toBeGreaterThan(0);
    for (let seed = 0; seed < RUNS; seed++)
      expect({ seed, broken: await tellInDisorder(stream, seed) }).toEqual({ seed, broken: [] });
  });
});

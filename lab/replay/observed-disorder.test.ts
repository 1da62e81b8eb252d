import { describe, expect, it } from 'vitest';
import { makeObservedTellable, tellObservedInDisorder } from './observed-disorder.js';
import { observedNames } from './observed-stream.js';

/** `npm run prove -- replay` runs ten thousand of each. */
const RUNS = 30;

describe('what an observer was told, in any order, with repetitions, gaps that are filled and late ends', () => {
  it.each(observedNames())('%s gives the same record, and its events count up', async (name) => {
    const stream = await makeObservedTellable(name);
    expect(stream.records.size).toBeGreaterThan(0);
    for (let seed = 0; seed < RUNS; seed++)
      expect({ seed, broken: await tellObservedInDisorder(stream, seed) }).toEqual({ seed, broken: [] });
  });
});

import { describe, expect, it } from 'vitest';
import { makeTellable } from './disorder.js';
import { readFixtures } from './fixture.js';
import { makeLogged, makeObservedLogged, tellWithLogLast, type LoggedStream } from './log-last.js';
import { observedNames } from './observed-stream.js';

/** `npm run prove -- replay` runs ten thousand of each. */
const RUNS = 20;

async function expectSame(stream: LoggedStream): Promise<void> {
  expect(stream.records.size).toBeGreaterThan(0);
  for (let seed = 0; seed < RUNS; seed++)
    expect({ seed, broken: await tellWithLogLast(stream, seed) }).toEqual({ seed, broken: [] });
}

describe('a stream of which some was lost for good, in any order, and Asterisk’s log told last', async () => {
  const fixtures = await readFixtures();

  it.each(fixtures)('$name gives the record of the whole stream', async ({ entries, log }) => {
    await expectSame(await makeLogged(await makeTellable(entries), log));
  });

  it.each(observedNames())('%s gives the record of the whole stream', async (name) => {
    await expectSame(await makeObservedLogged(name));
  });
});

import { describe, expect, it } from 'vitest';
import { lateEnd, makeObservedTellable, tellObservedInDisorder } from './observed-disorder.js';
import { observedNames, observedTold, play, type Outcome } from './observed-stream.js';

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

describe('what an observer was told, in its own order', () => {
  /** Records and their events, without the ids that are drawn anew. */
  const made = ({ calls, events }: Outcome): unknown =>
    calls.map((call) => ({
      call: { ...call, id: '', mergedInto: call.mergedInto !== null },
      events: events.get(call.id)?.map(({ type }) => type),
    }));

  it.each(observedNames())(
    '%s has the same events when ends are told twice, and late ones say otherwise',
    async (name) => {
      const told = observedTold(name);
      const ends = told.filter(({ facts }) => facts.some(({ kind }) => kind === 'ended'));
      const once = made(await play(told));
      expect(made(await play(told.flatMap((one) => (ends.includes(one) ? [one, one] : [one]))))).toEqual(once);
      expect(made(await play([...told, ...ends.flatMap(lateEnd)]))).toEqual(once);
    },
  );
});

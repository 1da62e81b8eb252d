import { describe, expect, it } from 'vitest';
import type { StreamEntry } from '../../src/asterisk/raw-stream/stream-entry.js';
import { parseFrame } from '../../src/asterisk/ari-frame.js';
import { makeTellable, tellInDisorder } from './disorder.js';
import { expectedOf, readFixtures } from './fixture.js';
import { replay } from './replay.js';

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

describe('a recorded stream in its own order', () => {
  const isEnd = (entry: StreamEntry): boolean =>
    entry.kind === 'frame' && parseFrame(entry.text)?.type === 'ChannelDestroyed';

  it.each(fixtures)('$name has the same events when each end is told twice', async ({ entries, expected }) => {
    const { calls } = await replay(entries.flatMap((entry) => (isEnd(entry) ? [entry, entry] : [entry])));
    expect(expectedOf(calls)).toEqual(expected);
  });

  it.each(fixtures)(
    '$name has the same events when ends come late that say otherwise',
    async ({ entries, expected }) => {
      const { lateEnds } = await makeTellable(entries);
      expect(lateEnds.length).toBeGreaterThan(0);
      const { at, node, boot, app } = entries.at(-1) as StreamEntry;
      const late = lateEnds.map(({ leg, facts }): StreamEntry => ({
        at: at + 30_000,
        node,
        boot,
        app,
        kind: 'told',
        told: { leg, facts },
      }));
      const { calls } = await replay([...entries, ...late]);
      expect(expectedOf(calls)).toEqual(expected);
    },
  );
});

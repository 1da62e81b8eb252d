import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { aboutCall } from '../../lab/replay/about-call.js';
import { expectedOf, writeFixture } from '../../lab/replay/fixture.js';
import { readStream } from '../../lab/replay/read-stream.js';
import { replay, type ReplayedCall } from '../../lab/replay/replay.js';
import { scrubLogLine } from '../../lab/scrub/scrub-log.js';
import { regionsOf, Scrubber } from '../../lab/scrub/scrub.js';
import { waitFor } from '../../lab/wait-for.js';
import { farEndId } from '../../src/asterisk/far-end.js';
import type { StreamEntry } from '../../src/asterisk/raw-stream/stream-entry.js';
import type { Call } from '../../src/calls/domain/call.js';

/** Names of the fixtures that are wanted: `npm run record-fixture` sets them. */
export const toKeep = process.env['RECORD_FIXTURES']?.split(',') ?? [];

/** What the service has recorded about one call so far. */
export async function streamOf(streams: string, callId: string): Promise<StreamEntry[]> {
  const files = (await readdir(streams)).toSorted().map((file) => join(streams, file));
  return aboutCall((await readStream(files)).entries, callId);
}

/** The stream of one call, once it is written whole, and what it folds to. */
export function recordedStream(
  streams: string,
  record: Call,
): Promise<{ readonly entries: readonly StreamEntry[]; readonly replayed: ReplayedCall }> {
  return waitFor(
    async () => {
      const entries = await streamOf(streams, record.id);
      const { calls } = await replay(entries);
      const [replayed] = calls;
      return replayed !== undefined && replayed.record.version >= record.version && { entries, replayed };
    },
    { what: 'the recorded stream to be whole', everyMs: 100 },
  );
}

/** What Asterisk's log tells of one call, once it is whole. */
export function logOf(celFile: string, { legs }: Call): Promise<string[]> {
  return waitFor(
    async () => {
      const lines = (await readFile(celFile, 'utf8')).split('\n');
      const ids = legs.flatMap(({ id }) => [id, farEndId(id)]);
      const about = ids.map((id) => lines.filter((line) => line.includes(`,"${id}","`)));
      // A leg that could not be made has no line.
      const made = about.filter((log) => log.length > 0);
      const isWhole = made.length > 0 && made.every((log) => log.some((line) => line.startsWith('"CHAN_END"')));
      return isWhole && lines.filter((line) => about.some((log) => log.includes(line)));
    },
    { what: 'the log of the call to be whole' },
  );
}

/** Keeps a stream, and the log beside it, without what names people and places, if it folds to the same record then. */
export async function keep(
  name: string,
  entries: readonly StreamEntry[],
  replayed: ReplayedCall,
  log: readonly string[],
): Promise<void> {
  const scrubber = new Scrubber('fixtures', regionsOf(entries));
  const scrubbed = entries.map((entry) => scrubber.entry(entry));
  const { calls } = await replay(scrubbed);
  expect(calls).toEqual([scrubber.document(replayed)]);
  const scrubbedLog = log.map((line) => scrubLogLine(line, scrubber));
  const fixture = { name, entries: scrubbed, expected: expectedOf(calls), log: scrubbedLog };
  console.error(`kept ${await writeFixture(fixture)}`);
}

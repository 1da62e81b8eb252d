import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { StreamEntry } from '../../src/asterisk/raw-stream/stream-entry.js';
import type { Call } from '../../src/calls/domain/call.js';
import type { CallEventType } from '../../src/calls/domain/call-event.js';
import { projectRoot } from '../project-root.js';
import { parseStream } from './read-stream.js';
import type { ReplayedCall } from './replay.js';

/** A recorded stream that is kept, and what it has to fold to. */
export type Fixture = {
  readonly name: string;
  readonly entries: readonly StreamEntry[];
  readonly expected: readonly ExpectedCall[];
  /** What Asterisk wrote into its channel event log about the same calls, line by line. */
  readonly log: readonly string[];
};
export type ExpectedCall = { readonly record: Call; readonly events: readonly CallEventType[] };

const folder = join(projectRoot, 'test/fixtures/ari');
const logFolder = join(projectRoot, 'test/fixtures/cel');

/** All of them, by name. The last line of a file tells what is expected, the others are the stream. */
export async function readFixtures(): Promise<Fixture[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.jsonl')).toSorted();
  return Promise.all(
    files.map(async (file) => {
      const lines = (await readFile(join(folder, file), 'utf8')).trimEnd().split('\n');
      const { expected } = JSON.parse(lines.at(-1) ?? '') as Pick<Fixture, 'expected'>;
      const { entries, unreadable } = parseStream(lines.slice(0, -1).join('\n'));
      if (unreadable > 0) throw new Error(`${file} has ${unreadable} lines that are no entries of a stream`);
      const name = basename(file, '.jsonl');
      return { name, entries, expected, log: await readLog(name) };
    }),
  );
}

async function readLog(name: string): Promise<string[]> {
  return (await readFile(join(logFolder, `${name}.csv`), 'utf8')).trimEnd().split('\n');
}

export async function writeFixture({ name, entries, expected, log }: Fixture): Promise<string> {
  await writeFile(join(logFolder, `${name}.csv`), log.map((line) => `${line}\n`).join(''));
  const file = join(folder, `${name}.jsonl`);
  await writeFile(file, [...entries, { expected }].map((line) => `${JSON.stringify(line)}\n`).join(''));
  return file;
}

/** The part of a replay that a fixture keeps. */
export function expectedOf(calls: readonly ReplayedCall[]): ExpectedCall[] {
  return calls.map(({ record, events }) => ({ record, events: events.map(({ type }) => type) }));
}

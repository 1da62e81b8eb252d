// Folds recorded streams: npm run replay -- FILE [FILE ...] [--against OTHER] [--json]
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { differences } from './replay/differences.js';
import { parseStream, readStream } from './replay/read-stream.js';
import { replay, type Replayed, type ReplayedCall } from './replay/replay.js';
import { tellDifferences, tellReplay } from './replay/tell-replay.js';

const usage = `npm run replay -- FILE [FILE ...] [--against OTHER] [--json]
  FILE     a stream that RECORD_ARI recorded; files that follow each other are read as one
  --against OTHER  another stream, or what --json printed: tells every field that differs, and exits 1 if any does
  --json   a document for programs`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { against: { type: 'string' }, json: { type: 'boolean', default: false } },
});
if (positionals.length === 0) throw new Error(usage);

const { told: _told, ...replayed } = await replay((await readStream(positionals)).entries);
if (values.against === undefined) {
  print(values.json ? JSON.stringify(replayed) : tellReplay(replayed));
} else {
  const found = differences(replayed.calls, await callsOf(values.against));
  print(values.json ? JSON.stringify(found) : tellDifferences(found));
  process.exitCode = found.length === 0 ? 0 : 1;
}

/** Of a stream, or of a document that was printed before. */
async function callsOf(file: string): Promise<readonly ReplayedCall[]> {
  const text = await readFile(file, 'utf8');
  const stream = parseStream(text);
  if (stream.entries.length > 0) return (await replay(stream.entries)).calls;
  try {
    return (JSON.parse(text) as Replayed).calls;
  } catch {
    throw new Error(`${file} is neither a recorded stream nor what "npm run replay -- FILE --json" printed`);
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

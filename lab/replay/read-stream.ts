import { readFile } from 'node:fs/promises';
import { readEntry, type StreamEntry } from '../../src/asterisk/raw-stream/stream-entry.js';

/** The entries of a recorded stream, and how many lines were none. The last line of a file may have been cut off. */
export type Stream = { readonly entries: readonly StreamEntry[]; readonly unreadable: number };

export function parseStream(text: string): Stream {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const entries = lines.flatMap((line) => readEntry(line) ?? []);
  return { entries, unreadable: lines.length - entries.length };
}

/**
 * Reads files that follow each other as one stream.
 * @throws {Error} naming the file that cannot be read or holds no stream.
 */
export async function readStream(files: readonly string[]): Promise<Stream> {
  const streams: Stream[] = [];
  for (const file of files) {
    const stream = parseStream(await readFile(file, 'utf8'));
    if (stream.entries.length === 0) throw new Error(`${file} holds no recorded stream: RECORD_ARI makes them`);
    streams.push(stream);
  }
  return {
    entries: streams.flatMap(({ entries }) => entries),
    unreadable: streams.reduce((sum, { unreadable }) => sum + unreadable, 0),
  };
}

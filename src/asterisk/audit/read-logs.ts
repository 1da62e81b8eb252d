import { createReadStream } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { isCompressed, logGenerations } from '../cel/log-generations.js';

/**
 * Files of a log that may tell of a time from then on, oldest first: those that were written to later.
 * @param from ms.
 * @throws {Error} when the folder cannot be read
 */
export async function filesSince(path: string, from: number): Promise<readonly string[]> {
  const files = (await logGenerations(path)).filter(({ modifiedAt }) => modifiedAt >= from);
  return files.toSorted((a, b) => a.modifiedAt - b.modifiedAt).map((file) => file.path);
}

/**
 * Reads each line of a file, also of one that gzip packed.
 * @throws {Error} saying what to do when the file cannot be read
 */
export async function readLines(path: string, onLine: (line: string) => void): Promise<void> {
  const isPacked = isCompressed(path);
  if (isPacked && !path.endsWith('.gz'))
    throw new Error(`${path} is packed: unpack it, and name the unpacked file by --file`);
  await access(path, constants.R_OK);
  const bytes = createReadStream(path);
  const input: Readable = isPacked ? bytes.pipe(createGunzip()) : bytes;
  const failed = new Promise<never>((_, reject) => {
    bytes.once('error', reject);
    input.once('error', reject);
  });
  const lines = createInterface({ input, crlfDelay: Infinity });
  lines.on('line', onLine);
  await Promise.race([new Promise((resolve) => lines.once('close', resolve)), failed]);
}

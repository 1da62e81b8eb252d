import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, opendir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { uuidPattern } from '../common/ids.js';
import {
  RecordingStorage,
  type ReceivedRecording,
  type RecordingPlace,
  type StoredRecording,
} from './recording-storage.js';
import { WAV_HEADER_BYTES } from './wav.js';

/** Files whose rows are asked for together. */
const SWEEP_BATCH = 500;

/**
 * Recordings as files, readable by their owner alone: `<folder>/<tenant>/<year>/<month>/<id>.wav`, and under
 * `<folder>/incoming/` while they are received.
 */
export class DiskStorage extends RecordingStorage {
  readonly #incoming: string;

  constructor(private readonly folder: string) {
    super();
    this.#incoming = join(folder, 'incoming');
  }

  async receive(place: RecordingPlace, content: AsyncIterable<Buffer>): Promise<ReceivedRecording> {
    const path = this.#pathOf(place);
    await mkdir(this.#incoming, { recursive: true, mode: 0o700 });
    const aside = join(this.#incoming, `${place.id}.${randomBytes(6).toString('hex')}`);
    const file = await open(aside, 'wx', 0o600);
    const discard = async (): Promise<void> => rm(aside, { force: true });
    try {
      const received = await write(file, content);
      await file.sync();
      return { ...received, keep: () => this.#keep(aside, path), discard };
    } catch (error) {
      await discard();
      throw error;
    } finally {
      await file.close();
    }
  }

  async open(place: RecordingPlace): Promise<StoredRecording | null> {
    const file = await open(this.#pathOf(place), 'r').catch(nullIfMissing);
    if (file === null) return null;
    const { size } = await file.stat();
    return {
      bytes: size,
      read: (range) => file.createReadStream(range === undefined ? {} : { start: range.first, end: range.last }),
      close: () => file.close(),
    };
  }

  async remove(place: RecordingPlace): Promise<void> {
    await rm(this.#pathOf(place), { force: true });
  }

  async sweep(before: Date, isWanted: (ids: readonly string[]) => Promise<ReadonlySet<string>>): Promise<number> {
    let removed = 0;
    const removeOld = async (path: string): Promise<void> => {
      const found = await stat(path).catch(nullIfMissing);
      if (found === null || found.mtime >= before) return;
      await rm(path, { force: true });
      removed += 1;
    };
    for await (const path of filesBelow(this.#incoming, 0)) await removeOld(path);
    let batch: string[] = [];
    const removeUnwanted = async (): Promise<void> => {
      const wanted = await isWanted(batch.map(idOf));
      for (const path of batch) if (!wanted.has(idOf(path))) await removeOld(path);
      batch = [];
    };
    for await (const path of filesBelow(this.folder, 3)) {
      if (dirname(path) === this.#incoming || !uuidPattern.test(idOf(path))) continue;
      if (batch.push(path) >= SWEEP_BATCH) await removeUnwanted();
    }
    if (batch.length > 0) await removeUnwanted();
    return removed;
  }

  async #keep(aside: string, path: string): Promise<void> {
    const made = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await rename(aside, path);
    // The name itself has to be on the disk before anybody removes the original, and so have new folders on the way to it.
    const last = made === undefined ? dirname(path) : dirname(made);
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      await syncFolder(folder);
      if (folder === last || folder === dirname(folder)) return;
    }
  }

  #pathOf({ tenantId, id, plannedAt }: RecordingPlace): string {
    if (!uuidPattern.test(tenantId) || !uuidPattern.test(id)) throw new Error('a recording is stored under its ids');
    const [year = '', month = ''] = plannedAt.toISOString().split('-');
    return join(this.folder, tenantId, year, month, `${id}.wav`);
  }
}

async function write(
  file: FileHandle,
  content: AsyncIterable<Buffer>,
): Promise<Pick<ReceivedRecording, 'bytes' | 'head' | 'digest'>> {
  const hash = createHash('sha256');
  const first: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of content) {
    if (bytes < WAV_HEADER_BYTES) first.push(chunk);
    bytes += chunk.length;
    hash.update(chunk);
    await file.writeFile(chunk);
  }
  return { bytes, head: Buffer.concat(first).subarray(0, WAV_HEADER_BYTES), digest: hash.digest() };
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Files at most so many folders below; a folder that is not there has none. */
async function* filesBelow(folder: string, depth: number): AsyncGenerator<string> {
  const entries = await opendir(folder).catch(nullIfMissing);
  if (entries === null) return;
  for await (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isFile()) yield path;
    else if (entry.isDirectory() && depth > 0) yield* filesBelow(path, depth - 1);
  }
}

function idOf(path: string): string {
  return basename(path, '.wav');
}

function nullIfMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}

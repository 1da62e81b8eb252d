import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { LONGEST_LINE } from './cel-line.js';
import { isCompressed, logGenerations, type Generation } from './log-generations.js';

/** A place in a file, and what stood before it: enough to find the place again in a file that was renamed or copied. */
export type FilePosition = { readonly inode: string; readonly offset: number; readonly mark: string };

/** Whole lines, without their ends, and the place after them. */
export type Piece = { readonly lines: readonly string[]; readonly position: FilePosition };

/** As JSON, whatever it holds, less than a request may be. */
const CHUNK_BYTES = 128 * 1024;
const MOST_LINES = 1_000;
/** So many bytes before a place tell whether it is still the same place. A line has its time in microseconds. */
const MARK_BYTES = 256;
/** A file that was renamed may get the line that was being written, ms. */
const LAST_LINE_MS = 1_000;
/** Files of one log beside it at most: more is a folder that was never cleaned. */
const MOST_GENERATIONS = 1_000;

type Place = { readonly offset: number; readonly mark: string };
type OpenFile = { readonly handle: FileHandle; readonly inode: string; place: Place };

/**
 * Reads a log that another program writes, piece by piece: bounded memory, whatever has piled up. Goes on in the new file
 * when the log was renamed, and in the copy when it was copied and cut, so that no line is lost; lines may come twice.
 */
export class FollowedFile {
  #file: OpenFile | null = null;
  #position: FilePosition | null;

  /**
   * @param path Of the log as it is written now. Earlier files lie beside it, named the same with something after it.
   * @param position Where to go on; null: at the beginning of the file.
   * @param onGap Called when the place to go on is nowhere any more: lines after it may never be read.
   */
  constructor(
    private readonly path: string,
    position: FilePosition | null,
    private readonly onGap: () => void,
  ) {
    this.#position = position;
  }

  /**
   * The next whole lines; null when there are none yet.
   * @throws {Error} of the file system, such as `ENOENT` and `EACCES`, and when the path is no file; may be called again
   */
  async read(): Promise<Piece | null> {
    // A file that was left is not written to any more: what has no end will get none.
    const endless: string[] = [];
    // Each turn goes on to a later file, of which there are few.
    for (let turn = 0; turn < MOST_GENERATIONS; turn++) {
      const file = (this.#file ??= await this.#open());
      const found = await readAfter(file.handle, file.place);
      if (found === 'elsewhere') {
        // Cut to nothing, and perhaps written anew: what we have not read is in a copy, if anywhere.
        await this.close();
        continue;
      }
      const piece = toPiece(found, file);
      if (piece !== null) return this.#moveTo(piece, endless);
      const next = await this.#later(file);
      if (next === null) return null;
      // The place stays where it is until there is a line after it: a file of which nothing was read can be cut unseen.
      if (next.isLog && !(await hasLine(next.path))) return null;
      await this.close();
      if (found.after.length > 0) endless.push(...toLines(found.after));
      this.#file = await openFile(next.path);
    }
    return null;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.handle.close();
  }

  #moveTo(piece: Piece, endless: readonly string[]): Piece {
    const { position } = piece;
    if (this.#file !== null) this.#file.place = position;
    this.#position = position;
    return { lines: [...endless, ...piece.lines], position };
  }

  /** The file that our place is in: the one it was, or one that begins as that did. */
  async #open(): Promise<OpenFile> {
    const position = this.#position;
    if (position === null) return openFile(this.path);
    const all = await this.#generations();
    const isSame = (one: Generation): boolean => one.inode === position.inode;
    const newestFirst = all.filter((one) => !isSame(one)).toSorted((a, b) => b.modifiedAt - a.modifiedAt);
    for (const { path } of [...all.filter(isSame), ...newestFirst]) {
      const file = await openFile(path, position);
      if ((await readAfter(file.handle, position)) !== 'elsewhere') return file;
      await file.handle.close();
    }
    const file = await openFile(this.path);
    this.onGap();
    this.#position = null;
    return file;
  }

  /** What was begun after this file was left; null while it is the log, or may still get a line. */
  async #later(file: OpenFile): Promise<(Generation & { readonly isLog: boolean }) | null> {
    const live = await stat(this.path, { bigint: true }).catch(() => null);
    // Renamed, and not begun anew.
    if (live === null || String(live.ino) === file.inode) return null;
    const { mtimeMs } = await file.handle.stat();
    if (Date.now() - mtimeMs < LAST_LINE_MS) return null;
    const later = (await this.#generations())
      .filter(({ inode, modifiedAt }) => inode !== file.inode && modifiedAt > mtimeMs && inode !== String(live.ino))
      .toSorted((a, b) => a.modifiedAt - b.modifiedAt);
    const [first] = later;
    if (first !== undefined) return { ...first, isLog: false };
    return { path: this.path, inode: String(live.ino), modifiedAt: Number(live.mtimeMs), isLog: true };
  }

  /** The log and its earlier files that can be read as they are. */
  async #generations(): Promise<readonly Generation[]> {
    return (await logGenerations(this.path)).filter(({ path }) => !isCompressed(path)).slice(0, MOST_GENERATIONS);
  }
}

const start: Place = { offset: 0, mark: markOf(Buffer.alloc(0)) };

async function openFile(path: string, place = start): Promise<OpenFile> {
  // Opened without waiting: a pipe has no reader's end to wait for here.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const stats = await handle.stat({ bigint: true });
  if (stats.isFile()) return { handle, inode: String(stats.ino), place };
  await handle.close();
  throw Object.assign(new Error(`${path} is not a file`), { code: 'ENOTFILE' });
}

async function hasLine(path: string): Promise<boolean> {
  const file = await openFile(path);
  try {
    const found = await readAfter(file.handle, start);
    return found !== 'elsewhere' && toPiece(found, file) !== null;
  } finally {
    await file.handle.close();
  }
}

type Surroundings = { readonly before: Buffer; readonly after: Buffer };

/** What stands around a place; `elsewhere` when what stands before it is something else. */
async function readAfter(handle: FileHandle, { offset, mark }: Place): Promise<Surroundings | 'elsewhere'> {
  const marked = Math.min(offset, MARK_BYTES);
  const buffer = Buffer.allocUnsafe(marked + CHUNK_BYTES);
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset - marked);
  if (bytesRead < marked || markOf(buffer.subarray(0, marked)) !== mark) return 'elsewhere';
  return { before: buffer.subarray(0, marked), after: buffer.subarray(marked, bytesRead) };
}

function toPiece({ before, after }: Surroundings, { inode, place: { offset } }: OpenFile): Piece | null {
  const length = endOfLines(after);
  if (length === 0) return null;
  const read = Buffer.concat([before, after.subarray(0, length)]);
  const mark = markOf(read.subarray(-MARK_BYTES));
  return { lines: toLines(after.subarray(0, length)), position: { inode, offset: offset + length, mark } };
}

/** Bytes up to the end of the last line that a piece takes. A chunk without any end is no log: it is passed over. */
function endOfLines(bytes: Buffer): number {
  let end = 0;
  for (let lines = 0; lines < MOST_LINES; lines++) {
    const next = bytes.indexOf(0x0a, end);
    if (next < 0) break;
    end = next + 1;
  }
  return end === 0 && bytes.length === CHUNK_BYTES ? bytes.length : end;
}

/** NUL bytes, which a cut file may hold, and lines of any length are no text that can be passed on. */
function toLines(bytes: Buffer): string[] {
  return bytes
    .toString('utf8')
    .replaceAll('\0', '\ufffd')
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => (line.length > LONGEST_LINE ? TOO_LONG : line));
}

const TOO_LONG = '(too long)';

function markOf(before: Buffer): string {
  return createHash('sha256').update(before).digest('hex').slice(0, 32);
}

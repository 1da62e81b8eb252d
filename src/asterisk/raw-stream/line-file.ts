import { mkdir, open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export type LineFileLimits = {
  /** A file that is longer is closed and the next one begun, bytes. */
  readonly fileBytes: number;
  /** So many files are kept, the newest ones. */
  readonly files: number;
  /** What waits for the disk at most, bytes: more is dropped. */
  readonly waitingBytes: number;
};

/** How long lines gather before they are written, ms. As much is lost when the process is killed. */
const GATHER_MS = 100;

/**
 * Lines on their way into files `<name>-<time>.jsonl` of a folder, readable by their owner alone. `write` returns at once
 * and never throws: a disk that cannot follow, or fails, costs lines and nothing else.
 */
export class LineFile {
  #waiting: string[] = [];
  #waitingBytes = 0;
  #file: FileHandle | null = null;
  #fileBytes = 0;
  #pumping: Promise<void> | null = null;
  #hurry = new AbortController();

  /** @param onLost So many lines that were taken could not be written, and why. */
  constructor(
    private readonly folder: string,
    private readonly name: string,
    private readonly limits: LineFileLimits,
    private readonly onLost: (lines: number, reason: string) => void,
  ) {}

  /** False when too much waits for the disk: the line is not taken. */
  write(line: string): boolean {
    if (this.#waitingBytes + line.length > this.limits.waitingBytes) return false;
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    this.#pumping ??= this.#pump();
    return true;
  }

  /** Writes what waits, but does not wait longer than `limitMs` for the disk. */
  async close(limitMs: number): Promise<void> {
    this.#hurry.abort();
    const done = (async () => {
      await this.#pumping;
      await this.#closeFile();
    })();
    await Promise.race([done, sleep(limitMs, undefined, { ref: false })]);
  }

  async #pump(): Promise<void> {
    while (this.#waiting.length > 0) {
      await sleep(GATHER_MS, undefined, { signal: this.#hurry.signal, ref: false }).catch(() => undefined);
      const lines = this.#waiting;
      this.#waiting = [];
      try {
        const text = Buffer.from(`${lines.join('\n')}\n`);
        this.#file ??= await this.#begin();
        await this.#file.appendFile(text);
        this.#fileBytes += text.length;
        if (this.#fileBytes >= this.limits.fileBytes) await this.#closeFile();
      } catch (error) {
        await this.#closeFile().catch(() => undefined);
        this.onLost(lines.length, (error as Error).message);
      }
      // Only now: what is being written is in memory too.
      for (const { length } of lines) this.#waitingBytes -= length;
    }
    this.#pumping = null;
  }

  async #begin(): Promise<FileHandle> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const own = (await readdir(this.folder)).filter((file) => file.startsWith(`${this.name}-`)).toSorted();
    for (const old of own.slice(0, Math.max(0, own.length - this.limits.files + 1)))
      await rm(join(this.folder, old), { force: true });
    this.#fileBytes = 0;
    // Sorts by time. One that is there already goes on.
    const time = new Date().toISOString().replaceAll(/[-:.]/g, '');
    return open(join(this.folder, `${this.name}-${time}.jsonl`), 'a', 0o600);
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }
}

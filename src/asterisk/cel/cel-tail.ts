import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../common/logger.js';
import { Problem } from '../../common/problems.js';
import type { CelAnswer } from '../../pbx-nodes/cel.schema.js';
import type { NodeWarning } from '../start-up-report.js';
import { FollowedFile, type FilePosition, type Piece } from './followed-file.js';

/** How often the file is looked at, ms. */
const LOOK_EVERY_MS = 250;
/** How often a file that cannot be read, or lines that are not taken, are tried again, ms. */
const TRY_AGAIN_MS = 1_000;
const KEEP_EVERY_MS = 1_000;
/** A file whose end was not reached for longer than this is worth a warning, s. */
const LAG_WARNING_SECONDS = 60;
/** So many of the newest lines tell whether the log is of the form that is read. */
const JUDGED_LINES = 1_000;
const FEWEST_JUDGED = 10;

/** Where the place to go on is kept. */
export type KeptPosition = {
  readonly read: () => Promise<FilePosition | null>;
  readonly keep: (position: FilePosition) => Promise<void>;
};

/** Follows a log on this host: reads, has taken, and only then keeps the place. A crash in between reads lines again. */
export class CelTail {
  readonly #stopping = new AbortController();
  #loop: Promise<void> | null = null;
  #fault: NodeJS.ErrnoException | null = null;
  #reachedEndAt = Date.now();
  #isAtEnd = false;
  #isTaking = false;
  #waiting: (() => void)[] = [];
  #judged = { lines: 0, unreadable: 0 };

  constructor(
    readonly file: string,
    private readonly take: (lines: readonly string[], onPresent: () => void) => Promise<CelAnswer>,
    private readonly kept: KeptPosition,
    private readonly log: Log,
  ) {}

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Lines that are being taken are not waited for, the database may be away: they are read again. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    if (!this.#isTaking) await this.#loop;
  }

  get lagSeconds(): number {
    return this.#isAtEnd ? 0 : (Date.now() - this.#reachedEndAt) / 1000;
  }

  async caughtUp(limitMs: number): Promise<void> {
    const reached = new Promise<void>((resolve) => this.#waiting.push(resolve));
    await Promise.race([reached, sleep(limitMs, undefined, { ref: false })]);
  }

  warnings(): readonly NodeWarning[] {
    const warnings: NodeWarning[] = [];
    const { lines, unreadable } = this.#judged;
    if (this.#fault?.code === 'ENOENT') {
      warnings.push({
        code: 'cel-file-missing',
        detail: `There is no file ${this.file}.`,
        remedy:
          'Asterisk makes it with the first call. Else compare `celFile` with cel_custom.conf, and see `cel show status`.',
      });
    } else if (this.#fault !== null) {
      warnings.push({
        code: 'cel-file-unreadable',
        detail: `Ringline cannot read ${this.file}: ${this.#fault.message}.`,
        remedy: 'Let the user that Ringline runs as read the file and list its folder; `celFile` has to be a file.',
      });
    } else if (this.lagSeconds > LAG_WARNING_SECONDS) {
      warnings.push({
        code: 'cel-behind',
        detail: `${this.file} was not read to its end for ${Math.round(this.lagSeconds)} s.`,
        remedy: 'It goes on by itself. If it does not shrink, look at the database and at the connection to this PBX.',
      });
    }
    if (lines >= FEWEST_JUDGED && unreadable * 2 > lines) {
      warnings.push({
        code: 'cel-lines-unreadable',
        detail: `Most of the newest lines of ${this.file} are no records of the log.`,
        remedy: 'Have Asterisk write it as ringline/cel_custom.conf says, and set no `dateformat` in cel.conf.',
      });
    }
    return warnings;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    const file = new FollowedFile(this.file, await this.#keptPosition(), this.#onGap);
    let unkept: FilePosition | null = null;
    let keptAt = 0;
    while (!signal.aborted) {
      try {
        const piece = await file.read();
        this.#onReadable();
        if (piece !== null && (await this.#takePiece(piece))) unkept = piece.position;
        if (unkept !== null && !signal.aborted && (piece === null || Date.now() - keptAt > KEEP_EVERY_MS)) {
          keptAt = Date.now();
          // It only saves work; the next one will do.
          await this.kept.keep(unkept).catch(() => undefined);
          unkept = null;
        }
        if (piece === null) {
          this.#onEnd();
          await pause(LOOK_EVERY_MS, signal);
        }
      } catch (error) {
        this.#onFault(error as NodeJS.ErrnoException);
        await pause(TRY_AGAIN_MS, signal);
      }
    }
    await file.close();
  }

  async #keptPosition(): Promise<FilePosition | null> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        return await this.kept.read();
      } catch (error) {
        this.log.warn({ scope: 'cel', error }, 'the place to go on in the log could not be read; trying on');
        await pause(TRY_AGAIN_MS, signal);
      }
    }
    return null;
  }

  /** Tries until it succeeds, for the place is not left before. False when it was given up because we stop. */
  async #takePiece({ lines }: Piece): Promise<boolean> {
    const { signal } = this.#stopping;
    this.#isAtEnd = false;
    for (let failures = 0; !signal.aborted;) {
      this.#isTaking = true;
      try {
        this.#judge(lines.length, (await this.take(lines, () => this.#onEnd())).unreadable);
        return true;
      } catch (error) {
        if (!(error instanceof Problem) && failures++ === 0)
          this.log.warn({ scope: 'cel', error }, 'lines of the log could not be taken; trying on');
      } finally {
        this.#isTaking = false;
      }
      await pause(LOOK_EVERY_MS, signal);
    }
    return false;
  }

  #judge(lines: number, unreadable: number): void {
    const before = this.#judged.lines > JUDGED_LINES ? { lines: 0, unreadable: 0 } : this.#judged;
    this.#judged = { lines: before.lines + lines, unreadable: before.unreadable + unreadable };
  }

  #onEnd(): void {
    this.#isAtEnd = true;
    this.#reachedEndAt = Date.now();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #onReadable(): void {
    if (this.#fault !== null) this.log.info({ scope: 'cel', file: this.file }, 'the log of the PBX can be read');
    this.#fault = null;
  }

  #onFault(error: NodeJS.ErrnoException): void {
    if (this.#stopping.signal.aborted) return;
    if (this.#fault?.message !== error.message)
      this.log.warn({ scope: 'cel', file: this.file, error }, 'the log of the PBX cannot be read');
    this.#fault = error;
    // Where there is nothing, nothing is behind.
    if (error.code === 'ENOENT') this.#onEnd();
    else this.#isAtEnd = false;
  }

  readonly #onGap = (): void => {
    this.log.error(
      { scope: 'cel', file: this.file },
      'the place to go on in the log is gone: lines may have been missed',
    );
  };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

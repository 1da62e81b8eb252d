/** Pause after a round that failed, or could not begin. */
const RETRY_MS = 1_000;

/**
 * Runs one piece of work again and again: at once when nudged, and by a sweep in any case, however often it is nudged. One run at a time; what is nudged for
 * while a run goes on is done in the next, so work comes in natural batches.
 */
export class NudgedLoop {
  #nudged = false;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lastStart = 0;
  #lastSweep = -Infinity;
  #stopped = true;

  /**
   * @param run one round; `true` when more is waiting. Tells of its own errors; when it rejects, a sweep follows soon.
   * @param sweepMs longest time from one sweep to the next: what nobody nudges for is found by it.
   * @param gapMs shortest time from one start to the next, which makes batches bigger under load.
   */
  constructor(
    private readonly run: (swept: boolean) => Promise<boolean>,
    private readonly sweepMs: number,
    private readonly gapMs: number,
  ) {}

  start(): void {
    this.#stopped = false;
    this.#schedule(0, true);
  }

  nudge(): void {
    if (this.#stopped || this.#nudged) return;
    this.#nudged = true;
    if (this.#running) return;
    const wait = this.#lastStart + this.gapMs - performance.now();
    if (wait <= 0) this.#round(false);
    else this.#schedule(wait, false);
  }

  /** The next round, which begins at once or after the one that runs, looks at everything. */
  sweep(): void {
    this.#lastSweep = -Infinity;
    this.nudge();
  }

  /** There is so much to do that the next round begins at once, or right after the one that runs. */
  hurry(): void {
    this.#lastStart = Math.min(this.#lastStart, performance.now() - this.gapMs);
    this.#nudged = false;
    this.nudge();
  }

  /** No round begins after this; settles when the one that runs is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #schedule(ms: number, swept: boolean): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#round(swept), ms);
  }

  #round(swept: boolean): void {
    clearTimeout(this.#timer);
    this.#nudged = false;
    this.#lastStart = performance.now();
    const isSweep = swept || this.#lastStart - this.#lastSweep >= this.sweepMs;
    if (isSweep) this.#lastSweep = this.#lastStart;
    const done = (more: boolean, pauseMs: number): void => {
      this.#running = undefined;
      if (this.#stopped) return;
      if (more) this.#nudged = true;
      if (this.#nudged) this.#schedule(Math.max(0, this.#lastStart + this.gapMs - performance.now()), false);
      else this.#schedule(pauseMs, true);
    };
    // Begins in a turn of its own: whoever nudges from inside the work must find it running.
    this.#running = Promise.resolve()
      .then(() => this.run(isSweep))
      .then(
        (more) => done(more, this.sweepMs),
        () => {
          // What it would have found is looked for again, also when somebody nudges before.
          this.#lastSweep = -Infinity;
          done(false, Math.min(this.sweepMs, RETRY_MS));
        },
      );
  }
}

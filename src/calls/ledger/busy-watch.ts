import type { Clock } from '../../common/clock.js';

const TICK_MS = 100;
/** A tick that comes so late means that this process itself was held up, ms. */
const STALL_MS = 1_000;

/**
 * How long a piece of work has been going on. Time in which our own process stood still does not count: a frozen process
 * says nothing about whom it waits for, and finds its timers run out before it reads the answers that came meanwhile.
 */
export class BusyWatch {
  #since: number | null = null;
  #tickedAt = 0;
  #stalls = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly clock: Clock) {}

  /** Work begins, or goes on. */
  begin(): void {
    if (this.#since !== null) return;
    this.#since = this.#tickedAt = this.clock.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#since = null;
  }

  /** 0 when there is no work. */
  get ms(): number {
    if (this.#since === null) return 0;
    this.#tick();
    return this.clock.now() - this.#since;
  }

  /** How often this process stood still while there was work. */
  get stalls(): number {
    if (this.#since !== null) this.#tick();
    return this.#stalls;
  }

  #tick(): void {
    const now = this.clock.now();
    if (now - this.#tickedAt > STALL_MS) {
      this.#since = now;
      this.#stalls++;
    }
    this.#tickedAt = now;
  }
}

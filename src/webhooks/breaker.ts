/** So many tries in a row that failed keep an endpoint from more. */
const FAILURES = 8;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Keeps what is due away from an endpoint that takes nothing: its tries would be used up, and the room of others. After a
 * pause, which doubles, one try goes as a probe.
 */
export class Breaker {
  #failures = 0;
  #pauseMs = 0;
  #openUntil = 0;

  get isClosed(): boolean {
    return this.#pauseMs === 0;
  }

  /** When the next probe may go, ms on the clock of `now`. */
  get openUntil(): number {
    return this.#openUntil;
  }

  /** How many requests may be open. */
  room(now: number, whenClosed: number): number {
    if (this.isClosed) return whenClosed;
    return now < this.#openUntil ? 0 : 1;
  }

  note(wasTaken: boolean, now: number): void {
    if (wasTaken) {
      this.#failures = 0;
      this.#pauseMs = 0;
      this.#openUntil = 0;
      return;
    }
    this.#failures += 1;
    // Those that were on their way when it opened tell nothing new.
    if (this.#failures < FAILURES || now < this.#openUntil) return;
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.isClosed ? FIRST_PAUSE_MS : 2 * this.#pauseMs);
    this.#openUntil = now + this.#pauseMs;
  }
}

import { purposes, type Purpose } from '../client/purpose.js';
import type { Taken } from './limit-state.js';

/** Longer waits than this are told, not waited for: whoever asks has something else to do meanwhile. */
export const LONGEST_WAIT_MS = 3_000;

export type Entered = { readonly leave: () => void } | { readonly afterMs: number };

/** Asks whether a request may go now; a thing that it takes is given back by `leave`. */
export type TryToGo = () => Promise<Taken & { readonly leave: () => void }>;

type Waiter = {
  readonly priority: number;
  readonly lane: string | undefined;
  readonly until: number;
  readonly tryToGo: TryToGo;
  readonly resolve: (entered: Entered) => void;
  /** What it was told last. */
  afterMs: number;
};

/**
 * Requests of one connection that wait in this process: by purpose, first come first served within one. Only the first is let
 * go, so that a pop is never behind what is caught up on; who waits for a lane's limit alone holds up that lane alone.
 */
export class GateQueue {
  readonly #waiting: Waiter[] = [];
  #isPumping = false;
  #again = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly now: () => number = Date.now) {}

  get length(): number {
    return this.#waiting.length;
  }

  enter(purpose: Purpose, lane: string | undefined, tryToGo: TryToGo): Promise<Entered> {
    return new Promise((resolve) => {
      const priority = purposes.indexOf(purpose);
      const waiter = { priority, lane, until: this.now() + LONGEST_WAIT_MS, tryToGo, resolve, afterMs: 0 };
      const place = this.#waiting.findIndex((other) => other.priority > priority);
      this.#waiting.splice(place === -1 ? this.#waiting.length : place, 0, waiter);
      this.pump();
    });
  }

  /** Something may have changed. */
  pump(): void {
    this.#again = true;
    if (this.#isPumping) return;
    this.#isPumping = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      clearTimeout(this.#timer);
      const soonest = await this.#round();
      if (!this.#again && soonest !== null) this.#timer = setTimeout(() => this.pump(), Math.max(1, soonest));
    }
    // In the same breath as the last look at `again`: whoever comes after it finds that nobody is at it.
    this.#isPumping = false;
  }

  /** @returns in how many ms to look again; null when nobody waits */
  async #round(): Promise<number | null> {
    const blocked = new Set<string | undefined>();
    let soonest = Infinity;
    for (let i = 0; i < this.#waiting.length;) {
      const waiter = this.#waiting[i] as Waiter;
      if (blocked.has(waiter.lane)) {
        i++;
        continue;
      }
      const { waitMs, generalMs, leave } = await waiter.tryToGo();
      if (waitMs === 0) {
        this.#remove(waiter);
        waiter.resolve({ leave });
      } else {
        waiter.afterMs = waitMs;
        soonest = Math.min(soonest, waitMs);
        if (waitMs > LONGEST_WAIT_MS) this.#tell(waiter, waitMs);
        // What counts every request stops all that come after; what counts a lane, that lane.
        else if (generalMs > 0) break;
        else blocked.add(waiter.lane);
      }
      // Somebody who goes first may have come meanwhile.
      if (this.#again) return null;
      i = this.#waiting.indexOf(waiter) === -1 ? i : i + 1;
    }
    const now = this.now();
    const late = this.#waiting.filter(({ until }) => until <= now);
    for (const waiter of late) this.#tell(waiter, Math.max(waiter.afterMs, soonest === Infinity ? 1 : soonest));
    for (const { until } of this.#waiting) soonest = Math.min(soonest, until - now);
    return this.#waiting.length === 0 ? null : soonest;
  }

  #tell(waiter: Waiter, afterMs: number): void {
    this.#remove(waiter);
    waiter.resolve({ afterMs });
  }

  #remove(waiter: Waiter): void {
    const place = this.#waiting.indexOf(waiter);
    if (place !== -1) this.#waiting.splice(place, 1);
  }
}

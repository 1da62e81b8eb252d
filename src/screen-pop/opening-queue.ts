import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Problem } from '../common/problems.js';

/** After a restart all browsers come at once; the database's connections are left to the calls. */
const AT_A_TIME = 4;
/** Who has waited longer has been given up by its browser, ms. */
const LONGEST_WAIT_MS = 10_000;

/** Lets streams open a few at a time, in the order they came. */
@Injectable()
export class OpeningQueue {
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(private readonly clock: Clock) {}

  /** @throws {Problem} `too-many-streams` when its turn came too late. */
  async run<T>(open: () => Promise<T>): Promise<T> {
    const cameAt = this.clock.now();
    if (this.#running >= AT_A_TIME) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      if (this.clock.now() - cameAt > LONGEST_WAIT_MS) {
        throw new Problem('too-many-streams', {
          detail: 'Too many streams are being opened at once.',
          retryAfterSeconds: 5,
        });
      }
      return await open();
    } finally {
      // The next one takes over this place, so that nobody who comes now can overtake it.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}

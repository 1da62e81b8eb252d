import { Injectable } from '@nestjs/common';
import { Problem } from '../common/problems.js';

/** After a restart all browsers come at once; the database's connections are left to the calls. */
const AT_A_TIME = 4;
/** Who has waited longer is told to come back, ms. */
const LONGEST_WAIT_MS = 10_000;

/** Lets streams open a few at a time, in the order they came. */
@Injectable()
export class OpeningQueue {
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /**
   * Runs `open` when its turn has come. Its place is taken until it settles, also when nobody waits for it any more: a
   * database that hangs must not be asked by more and more.
   * @throws {Problem} `too-many-streams` when its turn did not come in time; `database-unavailable` when it hangs.
   */
  async run<T>(open: () => Promise<T>): Promise<T> {
    let isRunning = false;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(isRunning ? hanging() : crowded()), LONGEST_WAIT_MS);
    });
    const turn = this.#inTurn(() => {
      isRunning = true;
      return open();
    });
    return Promise.race([turn, late]).finally(() => clearTimeout(timer));
  }

  async #inTurn<T>(open: () => Promise<T>): Promise<T> {
    if (this.#running >= AT_A_TIME) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await open();
    } finally {
      // The next one takes over this place, so that nobody who comes now can overtake it.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}

function crowded(): Problem {
  return new Problem('too-many-streams', {
    detail: 'Too many streams are being opened at once.',
    retryAfterSeconds: 5,
  });
}

function hanging(): Problem {
  return new Problem('database-unavailable', { detail: 'The database did not answer in time.', retryAfterSeconds: 5 });
}

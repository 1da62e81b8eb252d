import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { maskNumbers } from '../common/logger.js';
import { Database } from '../database/database.js';
import { HealthParts, type PartHealth } from './health-parts.js';

/** How often PostgreSQL is asked, and how long it may take to answer, ms. */
const EVERY_MS = 2_000;
const DEADLINE_MS = 1_500;

/** Asks PostgreSQL time and again: a database that was ready once may be lost later. */
@Injectable()
export class DatabaseHealth implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #stopping = new AbortController();
  #fault: string | undefined = undefined;

  constructor(
    private readonly database: Database,
    parts: HealthParts,
  ) {
    parts.register(() => [this.#current()]);
  }

  onApplicationBootstrap(): void {
    void this.#watch();
  }

  beforeApplicationShutdown(): void {
    this.#stopping.abort();
  }

  #current(): PartHealth {
    const { state } = this.database;
    const fault = state.status === 'ready' ? this.#fault : state.reason;
    return fault === undefined
      ? { name: 'database', status: 'up' }
      : { name: 'database', status: 'down', detail: fault };
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopping;
    await this.database.ready;
    while (!signal.aborted) {
      this.#fault = await this.#ask();
      await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #ask(): Promise<string | undefined> {
    const deadline = new AbortController();
    try {
      return await Promise.race([
        this.database.source.query('select 1').then(() => undefined),
        sleep(DEADLINE_MS, `PostgreSQL did not answer within ${DEADLINE_MS} ms.`, { signal: deadline.signal }),
      ]);
    } catch (error) {
      return `PostgreSQL was lost: ${maskNumbers(error instanceof Error ? error.message : String(error))}`;
    } finally {
      deadline.abort();
    }
  }
}

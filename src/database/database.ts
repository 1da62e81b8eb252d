import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import type { Config } from '../config/config.js';
import type { Log } from '../common/logger.js';
import { Problem } from '../common/problems.js';

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 5_000;

export type DatabaseState =
  | { readonly status: 'connecting'; readonly reason: string }
  | { readonly status: 'migrations-pending'; readonly reason: string }
  | { readonly status: 'ready' };

/**
 * PostgreSQL, which may come late: the process starts without it and keeps trying. Whoever needs it at start waits for
 * `ready`; a request meanwhile gets `database-unavailable`.
 */
export class Database {
  #state: DatabaseState = { status: 'connecting', reason: 'not tried yet' };
  #markReady!: () => void;
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  /** Resolves once, when the database can be used. */
  readonly ready: Promise<void> = new Promise((resolve) => (this.#markReady = resolve));

  constructor(
    readonly source: DataSource,
    private readonly config: Pick<Config, 'runMigrations'>,
    private readonly log: Log,
  ) {}

  get state(): DatabaseState {
    return this.#state;
  }

  start(): void {
    this.#loop = this.#connect();
  }

  /** @throws {Problem} `database-unavailable` while the database has not been reached yet. */
  assertReady(): void {
    if (this.#state.status !== 'ready') {
      throw new Problem('database-unavailable', { detail: this.#state.reason, retryAfterSeconds: 2 });
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    if (this.source.isInitialized) await this.source.destroy();
  }

  async #connect(): Promise<void> {
    for (let delay = FIRST_RETRY_MS; !this.#stopping.signal.aborted; delay = Math.min(delay * 2, LONGEST_RETRY_MS)) {
      try {
        if (!this.source.isInitialized) await this.source.initialize();
        if (this.config.runMigrations) await this.#migrate();
        if (!(await this.source.showMigrations())) {
          this.#state = { status: 'ready' };
          this.log.info({ scope: 'database' }, 'database ready');
          this.#markReady();
          return;
        }
        this.#report(
          'migrations-pending',
          'Migrations are pending. Run `npm run migrate`, then Ringline goes on by itself.',
        );
      } catch (error) {
        this.#report(
          'connecting',
          `PostgreSQL cannot be used: ${error instanceof Error ? describe(error) : String(error)}`,
        );
      }
      await sleep(delay, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
  }

  /** Several processes may start together: only one migrates, the others wait for it. */
  async #migrate(): Promise<void> {
    const runner = this.source.createQueryRunner();
    try {
      await runner.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
      await this.source.runMigrations();
    } finally {
      await runner.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
      await runner.release();
    }
  }

  #report(status: 'connecting' | 'migrations-pending', reason: string): void {
    const changed = this.#state.status === 'ready' || this.#state.reason !== reason;
    this.#state = { status, reason };
    if (changed) this.log.warn({ scope: 'database' }, reason);
  }
}

/** Any constant that no other user of the database takes. */
const MIGRATION_LOCK = 7_242_001;

function describe(error: Error & { code?: unknown; errors?: unknown }): string {
  // A refused connection to a name with two addresses is an AggregateError with an empty message.
  if (error.message === '' && Array.isArray(error.errors)) return error.errors.map((inner) => String(inner)).join('; ');
  return error.message;
}

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Log } from '../common/logger.js';

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 5_000;

/**
 * PostgreSQL's LISTEN on a connection of its own. A notification is a hint: whoever waits for one also looks by itself
 * now and then, since what is sent while the connection is down is lost.
 */
export class Notifications {
  readonly #handlers = new Map<string, Set<(payload: string) => void>>();
  readonly #stopping = new AbortController();
  #client: pg.Client | null = null;
  #loop: Promise<void> | null = null;

  constructor(
    private readonly databaseUrl: string,
    private readonly log: Log,
  ) {}

  /** Calls `handler` for each notification, and once with an empty payload after each reconnect. */
  async on(channel: string, handler: (payload: string) => void): Promise<void> {
    const handlers = this.#handlers.get(channel) ?? new Set();
    handlers.add(handler);
    this.#handlers.set(channel, handlers);
    // An identifier of ours, never from outside.
    await this.#client?.query(`listen ${channel}`).catch(() => undefined);
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#client?.end().catch(() => undefined);
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let delay = FIRST_RETRY_MS;
    while (!signal.aborted) {
      const client = new pg.Client({
        connectionString: this.databaseUrl,
        application_name: 'ringline-listen',
        keepAlive: true,
        connectionTimeoutMillis: 5_000,
      });
      const lost = new Promise<void>((resolve) => {
        client.on('error', () => resolve());
        client.on('end', () => resolve());
      });
      client.on('notification', ({ channel, payload }) => this.#deliver(channel, payload ?? ''));
      try {
        await client.connect();
        for (const channel of this.#handlers.keys()) await client.query(`listen ${channel}`);
        this.#client = client;
        delay = FIRST_RETRY_MS;
        for (const channel of this.#handlers.keys()) this.#deliver(channel, '');
        await lost;
      } catch (error) {
        this.log.debug({ scope: 'database', error }, 'cannot listen for notifications');
      }
      this.#client = null;
      await client.end().catch(() => undefined);
      await sleep(delay, undefined, { signal }).catch(() => undefined);
      delay = Math.min(delay * 2, LONGEST_RETRY_MS);
    }
  }

  #deliver(channel: string, payload: string): void {
    for (const handler of this.#handlers.get(channel) ?? []) {
      try {
        handler(payload);
      } catch (error) {
        this.log.error({ scope: 'database', error, channel }, 'a notification handler failed');
      }
    }
  }
}

import { Redis, type RedisOptions } from 'ioredis';
import type { PartHealth } from '../health/health-parts.js';
import type { Log } from '../common/logger.js';

/** How long a command may take before it counts as failed; a slow Redis holds nothing else up. */
const COMMAND_TIMEOUT_MS = 5_000;
/** How often a Redis with the wrong policy is asked whether it was set right. */
const POLICY_CHECK_MS = 5_000;

export type RedisState =
  | { readonly status: 'connecting'; readonly reason: string }
  | { readonly status: 'refused'; readonly reason: string }
  /** `runId` changes when the server restarts or another one takes over. */
  | { readonly status: 'ready'; readonly runId: string };

/**
 * The connection that jobs are added through. It may come late and go away: commands then fail at once, and whoever
 * adds jobs finds again later what is missing, in PostgreSQL.
 */
export class RedisLink {
  readonly client: Redis;
  #state: RedisState = { status: 'connecting', reason: 'Redis has not been reached yet.' };
  #policyTimer: NodeJS.Timeout | undefined;
  readonly #whenReady = new Set<() => void>();
  readonly #warnings = new Map<string, string>();

  constructor(
    private readonly url: string,
    private readonly log: Log,
  ) {
    this.client = new Redis(url, {
      lazyConnect: true,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      commandTimeout: COMMAND_TIMEOUT_MS,
      connectTimeout: COMMAND_TIMEOUT_MS,
      retryStrategy: reconnectDelay,
    });
    this.client.on('ready', () => void this.#check());
    this.client.on('error', (error: Error) => this.#lost(`Redis cannot be used: ${describe(error)}`));
    this.client.on('close', () => this.#lost('Redis closed the connection.'));
  }

  get state(): RedisState {
    return this.#state;
  }

  start(): void {
    // A refused first try is followed by others; each failure is told by the `error` event.
    this.client.connect().catch(() => undefined);
  }

  stop(): void {
    clearTimeout(this.#policyTimer);
    this.client.disconnect();
  }

  /** Calls back each time Redis can be used again, and now if it can. */
  onReady(callback: () => void): void {
    this.#whenReady.add(callback);
    if (this.#state.status === 'ready') callback();
  }

  /** A connection for a worker, which waits for Redis as long as it takes. The caller closes it. */
  forWorker(): Redis {
    const client = new QuietRedis(this.url, { maxRetriesPerRequest: null, retryStrategy: reconnectDelay });
    client.on('error', () => undefined);
    return client;
  }

  /** Shows a warning in the health of Redis until it is taken back with `undefined`. */
  warn(code: string, detail: string | undefined): void {
    if (detail === undefined) this.#warnings.delete(code);
    else this.#warnings.set(code, detail);
  }

  health(): PartHealth {
    const warnings = [...this.#warnings].map(([code, detail]) => ({ code: code.replace(/:.*/, ''), detail }));
    const shown = warnings.length > 0 ? { warnings } : {};
    if (this.#state.status === 'ready') {
      return { name: 'redis', status: warnings.length > 0 ? 'degraded' : 'up', ...shown };
    }
    return { name: 'redis', status: 'down', detail: this.#state.reason, ...shown };
  }

  /** A Redis that throws keys away when it is full loses jobs without a word: it is not used. */
  async #check(): Promise<void> {
    clearTimeout(this.#policyTimer);
    try {
      // Of the INFO text rather than CONFIG GET, which many hosted servers forbid.
      const info = await this.client.info();
      const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
      const policy = field('maxmemory_policy');
      if (policy !== undefined && policy !== 'noeviction') {
        this.#set({
          status: 'refused',
          reason: `Redis has maxmemory-policy ${policy}, which throws jobs away. Set it to noeviction.`,
        });
        this.#policyTimer = setTimeout(() => void this.#check(), POLICY_CHECK_MS).unref();
        return;
      }
      this.#set({ status: 'ready', runId: field('run_id') ?? 'unknown' });
      for (const callback of this.#whenReady) callback();
    } catch (error) {
      this.#lost(`Redis cannot be used: ${describe(error)}`);
      this.#policyTimer = setTimeout(() => void this.#check(), POLICY_CHECK_MS).unref();
    }
  }

  #lost(reason: string): void {
    // The sentence about the failure says more than the one about the closed connection that follows it.
    if (this.#state.status === 'connecting' && reason === 'Redis closed the connection.') return;
    this.#set({ status: 'connecting', reason });
  }

  #set(state: RedisState): void {
    const before = this.#state;
    this.#state = state;
    if (state.status === 'ready') {
      if (before.status !== 'ready') this.log.info({ scope: 'redis' }, 'Redis ready');
    } else if (before.status === 'ready' || before.reason !== state.reason) {
      this.log.warn({ scope: 'redis' }, state.reason);
    }
  }
}

/**
 * Its failures are those of the link, which tells them once. BullMQ works on a duplicate of it, and takes its own
 * listeners away before the connection is gone; ioredis would then write to stderr.
 */
class QuietRedis extends Redis {
  override duplicate(options?: Partial<RedisOptions>): Redis {
    const copy = super.duplicate({ ...options });
    copy.on('error', () => undefined);
    return copy;
  }
}

function reconnectDelay(tries: number): number {
  return Math.min(tries * 100, 2_000);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { errors } = error as { errors?: unknown };
  if (error.message === '' && Array.isArray(errors)) return errors.map((inner) => String(inner)).join('; ');
  return error.message;
}

import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Log } from '../common/logger.js';
import { Database } from '../database/database.js';
import { OpenStreams } from './open-streams.js';
import { PopLatency } from './pop-latency.js';
import { StreamLimits } from './stream-limits.js';
import { StreamTokens } from './stream-tokens.js';

/** Heartbeats and slow readers are looked at this often, ms. */
const TICK_MS = 1_000;
const PURGE_EVERY_MS = 600_000;

/** What open streams need as time passes: heartbeats, fresh tokens, an end when their right has ended. */
@Injectable()
export class StreamUpkeep implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #timers: NodeJS.Timeout[] = [];
  #checking: Promise<void> | null = null;
  #reachable = true;
  #purgedAt = 0;

  constructor(
    private readonly streams: OpenStreams,
    private readonly tokens: StreamTokens,
    private readonly latency: PopLatency,
    private readonly database: Database,
    private readonly limits: StreamLimits,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.#timers = [
      setInterval(() => this.#tick(), Math.min(TICK_MS, this.limits.checkEveryMs)),
      setInterval(() => void this.check(), this.limits.checkEveryMs),
    ];
  }

  async beforeApplicationShutdown(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.streams.stop();
    await this.#checking;
  }

  /**
   * Compares open streams with their tokens and keys in the database, and renews tokens. Streams stay open when the
   * database cannot be asked: a pop that comes through matters more than a revocation that comes late.
   */
  check(): Promise<void> {
    this.#checking ??= this.#check()
      .then(
        () => this.#report(true),
        (error: unknown) => this.#report(false, error),
      )
      .finally(() => (this.#checking = null));
    return this.#checking;
  }

  #tick(): void {
    for (const stream of this.streams.all()) stream.connection.tick();
    this.latency.forgetOld();
  }

  async #check(): Promise<void> {
    if (this.database.state.status !== 'ready') return;
    await this.#renew();
    await this.#cutRevoked();
    // After the renewal: once the database is back, it may hold nothing but old tokens of open streams.
    if (this.clock.now() - this.#purgedAt < PURGE_EVERY_MS) return;
    this.#purgedAt = this.clock.now();
    await this.tokens.purge();
  }

  async #renew(): Promise<void> {
    const dueBefore = this.clock.now() + this.limits.renewBeforeMs;
    const due = this.streams.all().filter(({ grant }) => grant.expiresAtMs <= dueBefore);
    if (due.length === 0) return;
    const renewed = await this.tokens.renew(due.map(({ grant }) => grant));
    for (const [index, stream] of due.entries()) {
      const fresh = renewed[index];
      if (fresh) stream.renew(fresh.grant, fresh.token);
    }
  }

  async #cutRevoked(): Promise<void> {
    const streams = this.streams.all();
    if (streams.length === 0) return;
    const standing = await this.tokens.standing(streams.map(({ grant }) => grant));
    for (const stream of streams) if (!standing.has(stream.grant.tokenId)) stream.connection.cut('revoked');
  }

  #report(reachable: boolean, error?: unknown): void {
    if (this.#reachable === reachable) return;
    this.#reachable = reachable;
    if (reachable) this.log.info({ scope: 'screen-pop' }, 'revoked stream tokens are seen again');
    else
      this.log.warn(
        { scope: 'screen-pop', error },
        'revoked stream tokens cannot be seen: the database does not answer',
      );
  }
}

import type { Redis } from 'ioredis';
import { shareOf, type Bound } from './bounds.js';
import { LimitState, type Taken } from './limit-state.js';
import { closeInRedis, leaveInRedis, takeInRedis } from './rate-script.js';

/** How long Redis may take. A request to a CRM takes longer, so this is no loss to it. */
const ANSWER_MS = 200;
/** How long is done without Redis after it did not answer. */
const WITHOUT_MS = 2_000;
/** Replicas that are taken for granted where Redis has never told of them. */
const UNKNOWN_REPLICAS = 2;

export type RedisOfLimits = {
  readonly isReady: () => boolean;
  readonly client: Pick<Redis, 'eval' | 'evalsha' | 'zrem'>;
};

/** What this process knows of a connection by itself. */
type Known = {
  /** Everything that went from here, by Redis or not. */
  readonly local: LimitState;
  /** What went without Redis, and Redis has not been told of. */
  untold: LimitState;
  hasUntold: boolean;
  replicas: number;
  /** Without Redis, others may use their shares from the same moment on as this one: it begins with its own used up. */
  isReduced: boolean;
};

/**
 * The limits of all connections, shared by replicas through Redis. While Redis does not answer, each replica keeps its share of
 * them, and tells Redis afterwards what it used. Asking never fails.
 */
export class SharedLimits {
  readonly #known = new Map<string, Known>();
  #withoutUntil = 0;

  /** @param replica names this process */
  constructor(
    private readonly redis: RedisOfLimits,
    private readonly replica: string,
    private readonly now: () => number = Date.now,
  ) {}

  async take(connectionId: string, bounds: readonly Bound[], cost: number, lease: string): Promise<Taken> {
    const known = this.#of(connectionId);
    if (this.#isUsable()) {
      const owed = known.hasUntold ? known.untold.used(bounds, this.now()) : bounds.map(() => 0);
      const ask = { connectionId, bounds, cost, lease, owed, replica: this.replica };
      const answer = await this.#soon(takeInRedis(this.redis.client, ask));
      if (answer !== null) {
        const { waitMs, generalMs, replicas } = answer;
        if (known.hasUntold) known.untold = new LimitState();
        known.hasUntold = false;
        known.replicas = replicas;
        known.isReduced = false;
        if (waitMs === 0)
          known.local.charge(
            bounds,
            this.now(),
            bounds.map(() => cost),
          );
        return { waitMs, generalMs };
      }
    }
    return this.#takeAlone(known, bounds, cost, lease);
  }

  leave(connectionId: string, bounds: readonly Bound[], lease: string): void {
    this.#of(connectionId).local.leave(bounds, lease);
    if (!this.#isUsable()) return;
    void this.#soon(leaveInRedis(this.redis.client, connectionId, bounds, lease));
  }

  /** The vendor said that nothing is to come before. */
  async close(connectionId: string, ms: number): Promise<void> {
    this.#of(connectionId).local.close(this.now(), ms);
    if (this.#isUsable()) await this.#soon(closeInRedis(this.redis.client, connectionId, ms));
  }

  #takeAlone(known: Known, bounds: readonly Bound[], cost: number, lease: string): Taken {
    const now = this.now();
    const shares = bounds.map((bound) => shareOf(bound, known.replicas));
    if (!known.isReduced && known.replicas > 1) {
      known.isReduced = true;
      const used = known.local.used(shares, now);
      const missing = shares.map((share, place) => Math.max(0, usedUp(share) - (used[place] ?? 0)));
      known.local.charge(shares, now, missing);
    }
    const taken = known.local.take(shares, now, cost, lease);
    if (taken.waitMs === 0) {
      known.untold.charge(
        bounds,
        now,
        bounds.map(() => cost),
      );
      known.hasUntold = true;
    }
    return taken;
  }

  #isUsable(): boolean {
    return this.redis.isReady() && this.now() >= this.#withoutUntil;
  }

  /** Null when Redis did not answer in time, or refused. */
  async #soon<Answer>(answer: Promise<Answer>): Promise<Answer | null> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('Redis is slow')), ANSWER_MS);
    });
    try {
      return await Promise.race([answer, late]);
    } catch {
      this.#withoutUntil = this.now() + WITHOUT_MS;
      answer.catch(() => undefined);
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  #of(connectionId: string): Known {
    const known = this.#known.get(connectionId) ?? {
      local: new LimitState(),
      untold: new LimitState(),
      hasUntold: false,
      replicas: UNKNOWN_REPLICAS,
      isReduced: true,
    };
    this.#known.set(connectionId, known);
    return known;
  }
}

/** What the others may have used of a share already; a pop still goes. A day is too long to be taken for used up. */
function usedUp(bound: Bound): number {
  return bound.kind === 'daily' ? 0 : Math.max(0, bound.whole - Math.max(1, bound.whole * 0.1));
}

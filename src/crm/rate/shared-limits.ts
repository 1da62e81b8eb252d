import type { Redis } from 'ioredis';
import { shareOf, type Bound } from './bounds.js';
import { LimitState, type Taken } from './limit-state.js';
import { closeInRedis, leaveInRedis, takeInRedis } from './rate-script.js';

/** Where a request was counted: when, in Redis; null: here alone. */
export type Counted = { readonly at: string | null };

/** How long Redis may take. A request to a CRM takes longer, so this is no loss to it. */
const ANSWER_MS = 200;
/** How long is done without Redis after it did not answer. */
const WITHOUT_MS = 2_000;
/** In this time every replica has come back to Redis, and has told it what it used. */
const RETURNING_MS = WITHOUT_MS + 500;
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
  /** Until then others may still do without Redis, and use their shares: this one uses no more than its own. */
  sharesUntil: number;
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

  async take(connectionId: string, bounds: readonly Bound[], cost: number, lease: string): Promise<Taken & Counted> {
    const known = this.#of(connectionId);
    if (this.#isUsable()) {
      const isReturning = this.now() < known.sharesUntil;
      if (isReturning) {
        const share = known.local.take(sharesOf(bounds, known), this.now(), cost, lease);
        if (share.waitMs > 0) return { ...share, at: null };
      }
      const owed = known.hasUntold ? known.untold.used(bounds, this.now()) : bounds.map(() => 0);
      const ask = { connectionId, bounds, cost, lease, owed, replica: this.replica };
      const answer = await this.#soon(takeInRedis(this.redis.client, ask));
      if (answer !== null) {
        const { waitMs, generalMs, replicas, at } = answer;
        if (known.hasUntold) known.untold = new LimitState();
        known.hasUntold = false;
        known.replicas = replicas;
        known.isReduced = false;
        if (waitMs === 0 && !isReturning)
          known.local.charge(
            bounds,
            this.now(),
            bounds.map(() => cost),
          );
        return { waitMs, generalMs, at };
      }
    }
    return { ...this.#takeAlone(known, bounds, cost, lease), at: null };
  }

  /** It is answered, or will not be. */
  leave(connectionId: string, bounds: readonly Bound[], cost: number, lease: string, { at }: Counted): void {
    const { local } = this.#of(connectionId);
    // What Redis counted has no window of its own here.
    const own = at === null ? bounds : bounds.filter(({ kind }) => kind === 'concurrent');
    local.leave(own, this.now(), cost, lease);
    if (!this.#isUsable()) return;
    void this.#soon(leaveInRedis(this.redis.client, { connectionId, bounds, cost, lease, at }));
  }

  /** The vendor said that nothing is to come before. */
  async close(connectionId: string, ms: number): Promise<void> {
    this.#of(connectionId).local.close(this.now(), ms);
    if (this.#isUsable()) await this.#soon(closeInRedis(this.redis.client, connectionId, ms));
  }

  #takeAlone(known: Known, bounds: readonly Bound[], cost: number, lease: string): Taken {
    const now = this.now();
    const shares = sharesOf(bounds, known);
    known.sharesUntil = now + RETURNING_MS;
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
      sharesUntil: 0,
    };
    this.#known.set(connectionId, known);
    return known;
  }
}

function sharesOf(bounds: readonly Bound[], { replicas }: Known): readonly Bound[] {
  return bounds.map((bound) => shareOf(bound, replicas));
}

/** What the others may have used of a share already; a pop still goes. A day is too long to be taken for used up. */
function usedUp(bound: Bound): number {
  return bound.kind === 'daily' ? 0 : Math.max(0, bound.whole - Math.max(1, bound.whole * 0.1));
}

import type { Bound } from './bounds.js';

/** Whether a request may go. `waitMs` 0: it may, and is counted. */
export type Taken = {
  readonly waitMs: number;
  /** As `waitMs`, of those limits alone that count requests of every lane. */
  readonly generalMs: number;
};

/** A day begins so much after midnight UTC: a vendor's clock may be behind. */
export const NEW_DAY_MS = 5_000;
export const DAY_MS = 86_400_000;
/** When a place may be free where so many may be open at a time: nobody knows, so it is asked again soon. */
export const OPEN_POLL_MS = 50;
/** Whoever does not say that he is done is taken for gone: longer than any request may take. */
export const LEASE_MS = 45_000;

type Entry = { readonly at: number; readonly cost: number; readonly lease: string };
type Window = { entries: Entry[]; paceAt: number };

/**
 * How much of its vendor's limits a connection has used. Pure: the time is given. What it does is done by `rateScript` in Redis,
 * word for word; a test compares the two.
 */
export class LimitState {
  #last = 0;
  #closedUntil = 0;
  readonly #buckets = new Map<string, { level: number; at: number }>();
  readonly #windows = new Map<string, Window>();
  readonly #days = new Map<string, { day: number; used: number }>();
  readonly #open = new Map<string, Map<string, number>>();

  /** @param lease names the request where it counts as open until `leave` */
  take(bounds: readonly Bound[], now: number, cost: number, lease: string): Taken {
    const at = this.#advance(now);
    let generalMs = Math.max(0, this.#closedUntil - at);
    let waitMs = generalMs;
    for (const bound of bounds) {
      const wait = Math.ceil(this.#wait(bound, at, cost));
      waitMs = Math.max(waitMs, wait);
      if (!bound.isOfLane) generalMs = Math.max(generalMs, wait);
    }
    if (waitMs === 0) for (const bound of bounds) this.#count(bound, at, cost, lease);
    return { waitMs, generalMs };
  }

  /** Counts what went without being asked about here. */
  charge(bounds: readonly Bound[], now: number, costs: readonly number[]): void {
    const at = this.#advance(now);
    for (const [i, bound] of bounds.entries()) {
      const cost = Math.min(costs[i] ?? 0, bound.whole);
      if (cost <= 0 || bound.kind === 'concurrent') continue;
      this.#count(bound, at, cost, '');
    }
  }

  /** What is used at the moment of each bound. */
  used(bounds: readonly Bound[], now: number): readonly number[] {
    const at = this.#advance(now);
    return bounds.map((bound) => {
      switch (bound.kind) {
        case 'bucket':
          return this.#levelOf(bound, at);
        case 'window':
          return sum(this.#entriesOf(bound, at).entries);
        case 'daily':
          return this.#usedOf(bound, at);
        case 'concurrent':
          return this.#openOf(bound, at).size;
      }
    });
  }

  /** It is answered. */
  leave(bounds: readonly Bound[], now: number, given: number, lease: string): void {
    for (const bound of bounds) {
      if (bound.kind === 'concurrent') this.#open.get(bound.key)?.delete(lease);
      if (bound.kind !== 'window' || !bound.countsFromAnswer) continue;
      const at = this.#advance(now);
      const window = this.#entriesOf(bound, at);
      const others = window.entries.filter((entry) => entry.lease !== lease);
      window.entries = [...others, { at, cost: Math.min(given, bound.whole), lease }];
    }
  }

  /** Nothing goes before. */
  close(now: number, ms: number): void {
    this.#closedUntil = Math.max(this.#closedUntil, this.#advance(now) + ms);
  }

  /** A clock that was set back makes no room. */
  #advance(now: number): number {
    this.#last = Math.max(this.#last, now);
    return this.#last;
  }

  /** How long until there is room for it, ms; a cost that never fits goes when nothing else is used. */
  #wait(bound: Bound, at: number, cost: number): number {
    const need = Math.min(cost, bound.most);
    switch (bound.kind) {
      case 'bucket': {
        const over = this.#levelOf(bound, at) + need - bound.most;
        return over > 0 ? over / bound.perMs : 0;
      }
      case 'window': {
        const { entries, paceAt } = this.#entriesOf(bound, at);
        const pace = bound.paceMs === null ? 0 : Math.max(0, paceAt - bound.slackMs - at);
        let over = sum(entries) + need - bound.most;
        let wait = 0;
        for (const entry of entries) {
          if (over <= 0) break;
          over -= entry.cost;
          wait = entry.at + bound.ms - at;
        }
        return Math.max(wait, pace);
      }
      case 'daily': {
        if (this.#usedOf(bound, at) + need <= bound.most) return 0;
        return (dayOf(at) + 1) * DAY_MS + NEW_DAY_MS - at;
      }
      case 'concurrent':
        return this.#openOf(bound, at).size + 1 > bound.most ? OPEN_POLL_MS : 0;
    }
  }

  #count(bound: Bound, at: number, given: number, lease: string): void {
    const cost = Math.min(given, bound.whole);
    switch (bound.kind) {
      case 'bucket':
        this.#buckets.set(bound.key, { level: this.#levelOf(bound, at) + cost, at });
        return;
      case 'window': {
        const window = this.#entriesOf(bound, at);
        window.entries.push({ at, cost, lease });
        if (bound.paceMs !== null) window.paceAt = Math.max(at, window.paceAt) + cost * bound.paceMs;
        return;
      }
      case 'daily':
        this.#days.set(bound.key, { day: dayOf(at), used: this.#usedOf(bound, at) + cost });
        return;
      case 'concurrent':
        this.#openOf(bound, at).set(lease, at + LEASE_MS);
    }
  }

  #levelOf(bound: Bound & { readonly kind: 'bucket' }, now: number): number {
    const { level, at } = this.#buckets.get(bound.key) ?? { level: 0, at: now };
    return Math.max(0, level - (now - at) * bound.perMs);
  }

  #entriesOf(bound: Bound & { readonly kind: 'window' }, now: number): Window {
    const window = this.#windows.get(bound.key) ?? { entries: [], paceAt: 0 };
    window.entries = window.entries.filter(({ at }) => at > now - bound.ms);
    this.#windows.set(bound.key, window);
    return window;
  }

  #usedOf(bound: Bound, now: number): number {
    const { day, used } = this.#days.get(bound.key) ?? { day: 0, used: 0 };
    return day === dayOf(now) ? used : 0;
  }

  #openOf(bound: Bound, now: number): Map<string, number> {
    const open = this.#open.get(bound.key) ?? new Map<string, number>();
    for (const [lease, until] of open) if (until <= now) open.delete(lease);
    this.#open.set(bound.key, open);
    return open;
  }
}

function dayOf(now: number): number {
  return Math.floor((now - NEW_DAY_MS) / DAY_MS);
}

function sum(entries: readonly Entry[]): number {
  return entries.reduce((all, { cost }) => all + cost, 0);
}

import type { Purpose } from '../client/purpose.js';
import type { Limit } from '../port/limit.js';

/**
 * A vendor's limit as it is kept: below what the vendor says, so that neither its clock nor the network makes of two requests
 * that were far enough apart two that are not.
 * - `whole`: what all requests together may use. - `most`: how much may be used when one of this purpose goes.
 */
export type Bound = {
  readonly key: string;
  /** It counts requests of one lane only. */
  readonly isOfLane: boolean;
  readonly whole: number;
  readonly most: number;
} & (
  | { readonly kind: 'bucket'; readonly perMs: number }
  /**
   * `paceMs`: how far apart requests of cost 1 are spread, and `slackMs` how far ahead of that they may be. Null: not at all.
   * `countsFromAnswer`: a request is in it from its answer on, since nobody knows when on its way the vendor counted it.
   */
  | {
      readonly kind: 'window';
      readonly ms: number;
      readonly paceMs: number | null;
      readonly slackMs: number;
      readonly countsFromAnswer: boolean;
    }
  | { readonly kind: 'daily' }
  | { readonly kind: 'concurrent' }
);

/** A bucket is kept as much emptier as leaks in this time; a window as much longer. */
const BUCKET_JITTER_MS = 300;
const BUCKET_RATE = 0.96;
const WINDOW_JITTER = { part: 0.05, leastMs: 70, mostMs: 250 };
/** In one that is shorter, seconds, the way of a request is a good part of it. */
const SHORT_WINDOW = 2;
const DAILY = 0.99;
/** Kept free for pops, of windows and buckets; a short limit keeps one, of five or more. */
const RESERVE = 0.04;
/** What is caught up on leaves this much of a day to the calls of the day. */
const DAILY_FOR_CATCHING_UP = 0.9;
/** How much of a window what is caught up on may use at once before it is spread. */
const BURST = 0.1;

/** What holds for a request of a lane and a purpose. */
export function boundsOf(limits: readonly Limit[], lane: string | undefined, purpose: Purpose): readonly Bound[] {
  return limits
    .filter((limit) => limit.lane === undefined || limit.lane === lane)
    .map((limit) => keptBound(limit, purpose));
}

function keptBound(limit: Limit, purpose: Purpose): Bound {
  const lane = limit.lane ?? '';
  const isOfLane = limit.lane !== undefined;
  switch (limit.kind) {
    case 'bucket': {
      const { capacity, perSecond } = limit;
      const whole = Math.max(Math.min(capacity, 1), capacity - (perSecond * BUCKET_JITTER_MS) / 1000);
      const key = `bucket:${lane}:${capacity}:${perSecond}`;
      const perMs = (perSecond * BUCKET_RATE) / 1000;
      return { kind: 'bucket', key, isOfLane, whole, most: whole - reserve(whole, purpose), perMs };
    }
    case 'window': {
      const { requests: whole, seconds } = limit;
      const { part, leastMs, mostMs } = WINDOW_JITTER;
      const ms = seconds * 1000 + Math.min(mostMs, Math.max(leastMs, seconds * 1000 * part));
      const paceMs = isLive(purpose) ? null : ms / whole;
      const key = `window:${lane}:${whole}:${seconds}`;
      const slackMs = ms * BURST;
      const most = whole - reserve(whole, purpose);
      const countsFromAnswer = seconds <= SHORT_WINDOW;
      return { kind: 'window', key, isOfLane, whole, most, ms, paceMs, slackMs, countsFromAnswer };
    }
    case 'daily': {
      const whole = Math.max(1, Math.floor(limit.budget * DAILY));
      const most = isLive(purpose) ? whole : Math.max(1, Math.floor(whole * DAILY_FOR_CATCHING_UP));
      return { kind: 'daily', key: `daily:${lane}:${limit.budget}`, isOfLane, whole, most };
    }
    case 'concurrent': {
      const whole = limit.most;
      const most = isLive(purpose) || whole < 2 ? whole : whole - 1;
      return { kind: 'concurrent', key: `concurrent:${lane}:${whole}`, isOfLane, whole, most };
    }
  }
}

/** A person waits for it, or a call that goes on. */
function isLive(purpose: Purpose): boolean {
  return purpose === 'pop' || purpose === 'open' || purpose === 'close';
}

function reserve(whole: number, purpose: Purpose): number {
  if (purpose === 'pop' || whole < 5) return 0;
  const kept = Math.max(1, Math.round(whole * RESERVE));
  return isLive(purpose) ? Math.floor(kept / 2) : kept;
}

/** A replica's part of a bound, when the replicas cannot ask each other. At least one request, or nothing would ever go. */
export function shareOf(bound: Bound, replicas: number): Bound {
  if (replicas <= 1) return bound;
  const part = (amount: number): number => Math.max(1, Math.floor(amount / replicas));
  const shared = { ...bound, whole: part(bound.whole), most: part(bound.most) };
  switch (shared.kind) {
    case 'bucket':
      return { ...shared, perMs: shared.perMs / replicas };
    case 'window':
      return { ...shared, paceMs: shared.paceMs === null ? null : shared.ms / shared.whole };
    case 'daily':
    case 'concurrent':
      return shared;
  }
}

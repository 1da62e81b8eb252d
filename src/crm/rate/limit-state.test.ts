import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { purposes } from '../client/purpose.js';
import type { Limit } from '../port/limit.js';
import { boundsOf, shareOf } from './bounds.js';
import { DAY_MS, LimitState, NEW_DAY_MS } from './limit-state.js';

type Sent = { readonly at: number; readonly cost: number; readonly lane: string | undefined };

const someLane = fc.constantFrom(undefined, 'search');
const someLimit: fc.Arbitrary<Limit> = fc
  .tuple(
    someLane,
    fc.oneof(
      fc.record({
        kind: fc.constant('bucket' as const),
        capacity: fc.integer({ min: 2, max: 60 }),
        perSecond: fc.integer({ min: 1, max: 10 }),
      }),
      fc.record({
        kind: fc.constant('window' as const),
        requests: fc.integer({ min: 1, max: 40 }),
        seconds: fc.integer({ min: 1, max: 10 }),
      }),
      fc.record({ kind: fc.constant('daily' as const), budget: fc.integer({ min: 2, max: 200 }) }),
    ),
  )
  .map(([of, kind]) => ({ ...kind, ...(of !== undefined && { lane: of }) }));
const arrivals = fc.array(
  fc.record({
    gapMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 20_000 })),
    cost: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 5 })),
    lane: someLane,
    purpose: fc.constantFrom(...purposes),
  }),
  { minLength: 50, maxLength: 300 },
);
// Around a midnight, so that days end in the middle of it.
const MIDNIGHT = 20_000 * DAY_MS + NEW_DAY_MS;

/** By how much the vendor's own count is passed at the worst moment, as the vendor counts; 0 or less: never. */
function excess(limit: Limit, sent: readonly Sent[]): number {
  const counted = sent.filter((one) => limit.lane === undefined || one.lane === limit.lane);
  const total = (some: readonly Sent[]): number => some.reduce((sum, { cost }) => sum + cost, 0);
  switch (limit.kind) {
    case 'window':
      return (
        Math.max(
          ...counted.map(({ at }) =>
            total(counted.filter((one) => one.at > at - limit.seconds * 1000 && one.at <= at)),
          ),
          0,
        ) - limit.requests
      );
    case 'bucket': {
      let level = 0;
      let last = 0;
      let highest = 0;
      for (const { at, cost } of counted) {
        level = Math.max(0, level - ((at - last) / 1000) * limit.perSecond) + cost;
        last = at;
        highest = Math.max(highest, level);
      }
      return highest - limit.capacity;
    }
    case 'daily': {
      const dayOf = ({ at }: Sent): number => Math.floor((at - NEW_DAY_MS) / DAY_MS);
      const days = new Set(counted.map(dayOf));
      return Math.max(0, ...[...days].map((day) => total(counted.filter((one) => dayOf(one) === day)))) - limit.budget;
    }
    case 'concurrent':
      throw new Error('counted elsewhere');
  }
}

/** A cost that no vendor would ever allow is no test of anything. */
function fits(limit: Limit, cost: number): boolean {
  switch (limit.kind) {
    case 'bucket':
      return cost <= limit.capacity - 3;
    case 'window':
      return cost <= limit.requests;
    case 'daily':
      return cost <= limit.budget - 2;
    case 'concurrent':
      return true;
  }
}

describe('limit state', () => {
  it('never lets more go than a vendor allows, whenever requests come and of whatever purpose they are', () => {
    let letGo = 0;
    fc.assert(
      fc.property(fc.array(someLimit, { minLength: 1, maxLength: 3 }), arrivals, (limits, requests) => {
        const state = new LimitState();
        const sent: Sent[] = [];
        let now = MIDNIGHT - 60_000;
        for (const request of requests) {
          now += request.gapMs;
          const cost = limits.every((one) => fits(one, request.cost)) ? request.cost : 1;
          const { waitMs } = state.take(boundsOf(limits, request.lane, request.purpose), now, cost, '');
          if (waitMs === 0) sent.push({ at: now, cost, lane: request.lane });
        }
        letGo += sent.length;
        for (const one of limits) expect(excess(one, sent), JSON.stringify(one)).toBeLessThanOrEqual(1e-9);
      }),
    );
    expect(letGo).toBeGreaterThan(1_000);
  });

  it('keeps to it too when each request takes up to 60 ms more or less on its way than the others', () => {
    fc.assert(
      fc.property(
        someLimit.filter(({ kind }) => kind === 'window' || kind === 'bucket'),
        arrivals,
        fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 300, maxLength: 300 }),
        (one, requests, delays) => {
          const state = new LimitState();
          const sent: Sent[] = [];
          let now = MIDNIGHT;
          for (const [i, { gapMs, lane: of, purpose }] of requests.entries()) {
            now += gapMs;
            const { waitMs } = state.take(boundsOf([one], of, purpose), now, 1, '');
            if (waitMs === 0) sent.push({ at: now + (delays[i] ?? 0), cost: 1, lane: of });
          }
          expect(
            excess(
              one,
              sent.toSorted((a, b) => a.at - b.at),
            ),
          ).toBeLessThanOrEqual(1e-9);
        },
      ),
    );
  });

  it('lets a request go at the moment it named, when nothing else went meanwhile', () => {
    fc.assert(
      fc.property(fc.array(someLimit, { minLength: 1, maxLength: 3 }), arrivals, (limits, requests) => {
        const state = new LimitState();
        let now = MIDNIGHT - 60_000;
        for (const { gapMs, lane: of, purpose } of requests) {
          now += gapMs;
          const bounds = boundsOf(limits, of, purpose);
          const { waitMs } = state.take(bounds, now, 1, '');
          if (waitMs === 0) continue;
          now += waitMs;
          // One ms for what does not divide: the next look may be that much too early.
          const again = state.take(bounds, now, 1, '');
          expect(again.waitMs).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('gives what is caught up on nine tenths of what the vendor allows, and pops a place all the same', () => {
    const limits: readonly Limit[] = [{ kind: 'window', requests: 100, seconds: 10 }];
    const state = new LimitState();
    const waits: number[] = [];
    let caughtUp = 0;
    for (let ms = 0; ms < 600_000; ms += 5) {
      const now = MIDNIGHT + ms;
      if (ms % 2_500 === 0) waits.push(state.take(boundsOf(limits, undefined, 'pop'), now, 1, '').waitMs);
      if (state.take(boundsOf(limits, undefined, 'backfill'), now, 1, '').waitMs === 0) caughtUp++;
    }
    expect(Math.max(...waits)).toBe(0);
    expect(caughtUp + waits.length).toBeGreaterThanOrEqual(600 * 10 * 0.9);
  });

  it('counts a request in a short window from its answer on, as nobody knows when on its way the vendor counted it', () => {
    const bounds = boundsOf([{ kind: 'window', requests: 2, seconds: 1 }], undefined, 'pop');
    const state = new LimitState();
    expect(state.take(bounds, 0, 1, 'slow').waitMs).toBe(0);
    state.leave(bounds, 400, 1, 'slow');
    expect(state.take(bounds, 500, 1, 'quick').waitMs).toBe(0);
    const { waitMs } = state.take(bounds, 1_100, 1, 'next');
    expect(waitMs).toBeGreaterThanOrEqual(300);
    expect(state.take(bounds, 1_100 + waitMs, 1, 'next').waitMs).toBe(0);
    // One that was forgotten before its answer came is there again.
    state.leave(bounds, 9_000, 1, 'slow');
    expect(state.used(bounds, 9_000)).toEqual([1]);
  });

  it('has no more requests open than allowed, and takes those for gone that never say they are done', () => {
    const bounds = boundsOf([{ kind: 'concurrent', most: 2 }], undefined, 'pop');
    const state = new LimitState();
    expect(state.take(bounds, 0, 1, 'a').waitMs).toBe(0);
    expect(state.take(bounds, 0, 1, 'b').waitMs).toBe(0);
    expect(state.take(bounds, 0, 1, 'c').waitMs).toBeGreaterThan(0);
    state.leave(bounds, 0, 1, 'a');
    expect(state.take(bounds, 0, 1, 'c').waitMs).toBe(0);
    expect(state.take(bounds, 0, 1, 'd').waitMs).toBeGreaterThan(0);
    expect(state.take(bounds, 60_000, 1, 'd').waitMs).toBe(0);
  });

  it('lets nothing go while it is closed, by whatever purpose', () => {
    const state = new LimitState();
    state.close(1_000, 500);
    expect(state.take([], 1_100, 1, '')).toEqual({ waitMs: 400, generalMs: 400 });
    expect(state.take([], 1_500, 1, '').waitMs).toBe(0);
  });

  it('makes no room when the clock is set back', () => {
    const bounds = boundsOf([{ kind: 'window', requests: 1, seconds: 1 }], undefined, 'pop');
    const state = new LimitState();
    expect(state.take(bounds, 100_000, 1, '').waitMs).toBe(0);
    expect(state.take(bounds, 50_000, 1, '').waitMs).toBe(1_070);
  });

  it('says which wait is a lane’s alone', () => {
    const limits: readonly Limit[] = [
      { kind: 'window', requests: 1, seconds: 1, lane: 'search' },
      { kind: 'window', requests: 50, seconds: 10 },
    ];
    const state = new LimitState();
    state.take(boundsOf(limits, 'search', 'pop'), 0, 1, '');
    expect(state.take(boundsOf(limits, 'search', 'pop'), 0, 1, '')).toEqual({ waitMs: 1_070, generalMs: 0 });
    expect(state.take(boundsOf(limits, undefined, 'pop'), 0, 1, '').waitMs).toBe(0);
  });

  it('is shared out so that the shares of all replicas are no more than the whole', () => {
    fc.assert(
      fc.property(someLimit, fc.integer({ min: 2, max: 6 }), fc.constantFrom(...purposes), (one, replicas, purpose) => {
        const [whole] = boundsOf([one], one.lane, purpose);
        if (whole === undefined || whole.whole < replicas) return;
        const share = shareOf(whole, replicas);
        expect(share.whole * replicas).toBeLessThanOrEqual(whole.whole);
        expect(share.most).toBeLessThanOrEqual(share.whole);
        if (share.kind === 'bucket' && whole.kind === 'bucket') expect(share.perMs * replicas).toBeCloseTo(whole.perMs);
      }),
    );
  });
});

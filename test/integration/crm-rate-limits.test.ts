import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { newId } from '../../src/common/ids.js';
import { purposes } from '../../src/crm/client/purpose.js';
import type { Limit } from '../../src/crm/port/limit.js';
import { boundsOf } from '../../src/crm/rate/bounds.js';
import { DAY_MS, LimitState } from '../../src/crm/rate/limit-state.js';
import { closeInRedis, leaveInRedis, takeInRedis } from '../../src/crm/rate/rate-script.js';
import { SharedLimits } from '../../src/crm/rate/shared-limits.js';

describe('limits shared through Redis', () => {
  let lab: Lab;
  let redis: Redis;

  beforeAll(async () => {
    lab = await startLab({ asterisk: false, postgres: false, redis: 'own', report: () => undefined });
    redis = new Redis(lab.redis.url, { enableOfflineQueue: false, maxRetriesPerRequest: 0, retryStrategy: () => 100 });
    redis.on('error', () => undefined);
  });
  afterAll(async () => {
    redis?.disconnect();
    await lab?.stop();
  });
  beforeEach(() => waitFor(() => Promise.resolve(redis.status === 'ready' || undefined), { what: 'Redis' }));

  const limit: fc.Arbitrary<Limit> = fc.oneof(
    fc.record({
      kind: fc.constant('bucket' as const),
      capacity: fc.integer({ min: 1, max: 30 }),
      perSecond: fc.integer({ min: 1, max: 7 }),
    }),
    fc.record({
      kind: fc.constant('window' as const),
      requests: fc.integer({ min: 1, max: 30 }),
      seconds: fc.integer({ min: 1, max: 10 }),
    }),
    fc.record({ kind: fc.constant('daily' as const), budget: fc.integer({ min: 1, max: 60 }) }),
    fc.record({ kind: fc.constant('concurrent' as const), most: fc.integer({ min: 1, max: 3 }) }),
  );
  const ofLane = fc
    .tuple(limit, fc.constantFrom(undefined, 'search'))
    .map(([one, lane]) => ({ ...one, ...(lane !== undefined && { lane }) }));
  const step = fc.record({
    gapMs: fc.oneof(fc.constant(0), fc.integer({ min: -50, max: 900 }), fc.integer({ min: 0, max: DAY_MS / 4 })),
    cost: fc.integer({ min: 1, max: 6 }),
    owed: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 9 })),
    lane: fc.constantFrom(undefined, 'search'),
    purpose: fc.constantFrom(...purposes),
    next: fc.constantFrom('nothing', 'nothing', 'leave', 'close'),
  });

  it('are kept by the script exactly as by the pure state, request by request', async () => {
    let asked = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(ofLane, { maxLength: 4 }),
        fc.array(step, { minLength: 20, maxLength: 60 }),
        async (limits, steps) => {
          const connectionId = newId();
          const state = new LimitState();
          let now = 1_764_000_000_000;
          for (const [i, { gapMs, cost, owed: owes, lane, purpose, next }] of steps.entries()) {
            now += gapMs;
            const bounds = boundsOf(limits, lane, purpose);
            const owed = bounds.map(() => owes);
            const lease = `lease${i}`;
            if (owes > 0) state.charge(bounds, now, owed);
            const pure = state.take(bounds, now, cost, lease);
            const { waitMs, generalMs, at } = await takeInRedis(redis, {
              connectionId,
              bounds,
              cost,
              lease,
              owed,
              replica: 'r',
              now,
            });
            expect({ waitMs, generalMs }).toEqual(pure);
            asked++;
            if (next === 'leave') {
              const answeredAt = now + (owes % 3) * 40;
              state.leave(bounds, answeredAt, cost, lease);
              await leaveInRedis(redis, { connectionId, bounds, cost, lease, at, now: answeredAt });
            }
            if (next === 'close') {
              state.close(now, 300);
              await closeInRedis(redis, connectionId, 300, now);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
    expect(asked).toBeGreaterThan(1_000);
  });

  const bounds = boundsOf([{ kind: 'window', requests: 40, seconds: 600 }], undefined, 'pop');
  const replica = (isReady: () => boolean = () => redis.status === 'ready', now: () => number = Date.now) =>
    new SharedLimits({ client: redis, isReady }, newId(), now);
  /** How many of so many requests may go. */
  async function go(limits: SharedLimits, connectionId: string, times: number): Promise<number> {
    let gone = 0;
    for (let i = 0; i < times; i++) if ((await limits.take(connectionId, bounds, 1, newId())).waitMs === 0) gone++;
    return gone;
  }

  it('are used by two replicas together no more than by one', async () => {
    const connectionId = newId();
    const [a, b] = [replica(), replica()];
    const gone = await Promise.all([go(a, connectionId, 35), go(b, connectionId, 35)]);
    expect(gone[0] + gone[1]).toBe(40);
  });

  it('are kept by each replica for its share while Redis is gone, and asking never fails', async () => {
    const connectionId = newId();
    const [a, b] = [replica(), replica()];
    expect((await go(a, connectionId, 5)) + (await go(b, connectionId, 5))).toBe(10);
    // Only now does each know that there are two.
    expect((await go(a, connectionId, 1)) + (await go(b, connectionId, 1))).toBe(2);
    await lab.redis.kill();
    const alone = (await go(a, connectionId, 30)) + (await go(b, connectionId, 30));
    expect(alone).toBeGreaterThan(0);
    expect(alone + 12).toBeLessThanOrEqual(40);
    await lab.redis.start();
  });

  it('count what went without Redis once it is back', async () => {
    const connectionId = newId();
    let isThere = false;
    let now = Date.now();
    const a = replica(
      () => isThere,
      () => now,
    );
    // A replica that has never heard of others takes half.
    expect(await go(a, connectionId, 30)).toBe(20);
    isThere = true;
    // Others may still take theirs without Redis.
    expect(await go(a, connectionId, 1)).toBe(0);
    now += 3_000;
    expect(await go(a, connectionId, 30)).toBe(20);
    expect(await go(replica(), connectionId, 1)).toBe(0);
  });

  it('close for all replicas when the vendor says so to one', async () => {
    const connectionId = newId();
    await replica().close(connectionId, 60_000);
    const { waitMs } = await replica().take(connectionId, bounds, 1, newId());
    expect(waitMs).toBeGreaterThan(55_000);
    expect(waitMs).toBeLessThanOrEqual(60_000);
  });

  it('are kept without Redis when it does not answer in time', async () => {
    const never = {
      evalsha: () => new Promise<never>(() => undefined),
      eval: () => new Promise<never>(() => undefined),
      zrem: () => new Promise<never>(() => undefined),
    };
    const limits = new SharedLimits({ client: never, isReady: () => true }, newId());
    const connectionId = newId();
    expect(await go(limits, connectionId, 30)).toBe(20);
  });
});

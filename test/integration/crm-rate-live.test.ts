import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SimulatorServer } from '../../lab/crm/simulator-server.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { newId } from '../../src/common/ids.js';
import { BoundedClient } from '../../src/crm/client/bounded-client.js';
import type { Purpose } from '../../src/crm/client/purpose.js';
import type { Limit } from '../../src/crm/port/limit.js';
import { RateGates } from '../../src/crm/rate/rate-gates.js';
import { SharedLimits } from '../../src/crm/rate/shared-limits.js';
import { EgressRules } from '../../src/egress/egress-rules.js';
import { GuardedClient } from '../../src/egress/guarded-client.js';

const RUN_MS = 8_000;

/** Two replicas that catch up as fast as they may, and pops in between, against a vendor that counts. */
describe('requests to a vendor that counts', () => {
  let lab: Lab;
  let redis: Redis;
  let http: GuardedClient;

  beforeAll(async () => {
    lab = await startLab({ asterisk: false, postgres: false, redis: 'own', report: () => undefined });
    redis = new Redis(lab.redis.url, { enableOfflineQueue: false, maxRetriesPerRequest: 0, retryStrategy: () => 100 });
    redis.on('error', () => undefined);
    http = new GuardedClient(new EgressRules(['127.0.0.0/8']));
    await waitFor(() => Promise.resolve(redis.status === 'ready' || undefined), { what: 'Redis' });
  });
  afterAll(async () => {
    await http?.close();
    redis?.disconnect();
    await lab?.stop();
  });

  async function run(limit: Limit, during?: () => Promise<void>) {
    const vendor = await SimulatorServer.start({ handle: () => ({ status: 200, json: {} }), limits: [limit] });
    const connectionId = newId();
    const until = Date.now() + RUN_MS;
    const waits: number[] = [];
    const replica = () => {
      const limits = new SharedLimits({ client: redis, isReady: () => redis.status === 'ready' }, newId());
      const gates = new RateGates(limits);
      const client = (purpose: Purpose) =>
        new BoundedClient(
          vendor.url,
          { kind: 'none' },
          null,
          http,
          gates.gateOf(connectionId, [limit], purpose),
          new Map(),
        );
      return { backfill: client('backfill'), pop: client('pop') };
    };
    const [a, b] = [replica(), replica()];
    const catchUp = async (client: BoundedClient): Promise<void> => {
      while (Date.now() < until) await client.request({ method: 'GET', path: '/call' });
    };
    const pops = async (): Promise<void> => {
      while (Date.now() < until) {
        const began = performance.now();
        const answer = await a.pop.request({ method: 'GET', path: '/pop' });
        if (answer.kind === 'answered') waits.push(performance.now() - began);
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    };
    const workers = [a, b].flatMap(({ backfill }) => Array.from({ length: 8 }, () => catchUp(backfill)));
    await Promise.all([...workers, pops(), during?.()]);
    await vendor.stop();
    const { requests, violations } = vendor;
    return {
      answered: requests.filter(({ status }) => status === 200).length,
      violations,
      waits: waits.toSorted((x, y) => x - y),
    };
  }

  it.each([
    ['window', { kind: 'window', requests: 100, seconds: 2 }, 50 * (RUN_MS / 1000)],
    ['short window', { kind: 'window', requests: 7, seconds: 1 }, 7 * (RUN_MS / 1000)],
    ['bucket', { kind: 'bucket', capacity: 20, perSecond: 50 }, 50 * (RUN_MS / 1000)],
  ] as const)('never pass its %s, use most of it, and let pops go first', async (_, limit, allowed) => {
    const { answered, violations, waits } = await run(limit);
    expect(violations).toBe(0);
    expect(answered).toBeGreaterThan(allowed * 0.75);
    expect(waits.length).toBeGreaterThan(10);
    expect(waits[Math.floor(waits.length * 0.9)]).toBeLessThan(250);
  });

  it('never pass its window when Redis goes and comes back in the middle', async () => {
    const { answered, violations } = await run({ kind: 'window', requests: 100, seconds: 2 }, async () => {
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      await lab.redis.kill();
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      await lab.redis.start();
    });
    expect(violations).toBe(0);
    expect(answered).toBeGreaterThan(100);
  });
});

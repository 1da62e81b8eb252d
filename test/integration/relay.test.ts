import { Queue, Worker, type Job } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { newId } from '../../src/common/ids.js';
import { Relay, relayTimes } from '../../src/outbox/relay.js';
import { EventQueues } from '../../src/queues/event-queues.js';
import type { RedisLink } from '../../src/queues/redis-link.js';
import { DeliveryWorld, milestones } from '../support/delivery-world.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

type Relaying = { readonly relay: Relay; readonly link: RedisLink; readonly queues: EventQueues };

describe('relay of events to the queues', () => {
  let lab: Lab;
  let world: DeliveryWorld;
  let redis: Redis;
  let tenantId: string;
  const relays: Relay[] = [];

  beforeAll(async () => {
    lab = await startLab({ asterisk: false, redis: 'own' });
    world = await DeliveryWorld.start(await lab.postgres.createDatabase());
    redis = new Redis(lab.redis.url, { maxRetriesPerRequest: null });
    redis.on('error', () => undefined);
  });
  afterAll(async () => {
    redis?.disconnect();
    await world?.stop();
    await lab?.stop();
  });
  beforeEach(async () => {
    await lab.redis.start();
    await redis.flushall();
    await redis.config('SET', 'maxmemory-policy', 'noeviction');
    tenantId = await world.addTenant();
  });
  afterEach(async () => {
    await Promise.all(relays.splice(0).map((relay) => relay.stop()));
    await world.stopParts();
    await world.query(`delete from call`);
  });

  function startRelay({
    extra = [],
    cap,
    sweepMs = 100,
  }: { extra?: string[]; cap?: number; sweepMs?: number } = {}): Relaying {
    const link = world.redis(lab.redis.url);
    const queues = new EventQueues(link, extra, cap);
    const made = new Relay(world.database, link, queues, world.log, { ...relayTimes, sweepMs });
    made.start();
    relays.push(made);
    return { relay: made, link, queues };
  }

  /** Jobs a queue holds, oldest first. */
  async function jobsOf(name: string): Promise<Job[]> {
    const queue = new Queue(name, { connection: redis });
    const jobs = await queue.getJobs(['waiting'], 0, -1, true);
    await queue.close();
    return jobs;
  }
  const waiting = async (name: string): Promise<number> => redis.llen(`bull:${name}:wait`);
  const holds = (name: string, count: number): Promise<true> =>
    waitFor(async () => (await waiting(name)) === count, { what: `${count} jobs in ${name}`, timeoutMs: 20_000 });
  const unrelayed = async (): Promise<number> =>
    Number(
      (await world.query<{ count: string }[]>(`select count(*) from call_event where relayed_at is null`))[0]?.count,
    );
  const allMarked = (): Promise<true> =>
    waitFor(async () => (await unrelayed()) === 0, { what: 'the events to be marked' });

  it('puts every event on every queue: name is the type, id the event’s, data the document', async () => {
    const events = await world.commit([await world.addCall(tenantId), ...milestones]);
    startRelay({ extra: ['crm-copy'] });
    for (const name of ['call-events', 'crm-copy']) {
      await holds(name, 4);
      const jobs = await jobsOf(name);
      expect(jobs.map((job) => job.name)).toEqual(milestones);
      expect(jobs.map((job) => job.id)).toEqual(events.map(({ id }) => id));
      expect(jobs.map((job) => job.data as unknown)).toEqual(events.map(({ document }) => JSON.parse(document)));
    }
    await allMarked();
  });

  it('relays at once when it is nudged', async () => {
    const { relay: made } = startRelay({ sweepMs: 60_000 });
    await waitFor(() => redis.get('bull:call-events:ringline-complete'), { what: 'the first round' });
    await world.commit([await world.addCall(tenantId), 'call.started']);
    made.nudge();
    await holds('call-events', 1);
  });

  it('gives each event once to the queues when several workers relay', async () => {
    const calls = await Promise.all(Array.from({ length: 300 }, () => world.addCall(tenantId)));
    const made = [startRelay(), startRelay(), startRelay()];
    for (const type of milestones) {
      await world.commit(...calls.map((call) => [call, type] as const));
      for (const { relay: each } of made) each.nudge();
    }
    await holds('call-events', 1200);
    const ids = (await jobsOf('call-events')).map((job) => job.id);
    expect(new Set(ids).size).toBe(1200);
  });

  it('loses nothing to a Redis that is killed, and says what is wrong meanwhile', async () => {
    const { link } = startRelay();
    await world.commit([await world.addCall(tenantId), 'call.started']);
    await holds('call-events', 1);
    await allMarked();
    await lab.redis.kill();
    await world.commit([await world.addCall(tenantId), 'call.started', 'call.ended']);
    await waitFor(() => link.health().status === 'down', { what: 'health to say so' });
    expect(link.health().detail).toMatch(/^Redis (cannot be used: |closed the connection)/);
    expect(await unrelayed()).toBe(2);
    await lab.redis.start();
    await holds('call-events', 3);
    expect(link.health()).toEqual({ name: 'redis', status: 'up' });
  });

  it('fills a flushed Redis again with the newest events, each under its id', async () => {
    startRelay();
    const events = await world.commit([await world.addCall(tenantId), ...milestones]);
    await holds('call-events', 4);
    await allMarked();
    await world.query(`update call_event set created_at = now() - interval '20 minutes' where sequence = 1`);
    await redis.flushall();
    await holds('call-events', 3);
    const ids = (await jobsOf('call-events')).map((job) => job.id);
    expect(new Set(ids)).toEqual(new Set(events.slice(1).map(({ id }) => id)));
  });

  it('adds what a restarted Redis may have lost, and what it still has only once', async () => {
    startRelay();
    await world.commit([await world.addCall(tenantId), ...milestones]);
    await holds('call-events', 4);
    const lost = (await jobsOf('call-events'))[3];
    await lost?.remove();
    await lab.redis.kill();
    await lab.redis.start();
    await holds('call-events', 4);
  });

  it('adds again what a flush took before it was marked', async () => {
    const { relay: made } = startRelay({ sweepMs: 60_000 });
    await waitFor(() => redis.get('bull:call-events:ringline-complete'), { what: 'the first round' });
    await world.commit([await world.addCall(tenantId), ...milestones]);
    made.nudge();
    await holds('call-events', 4);
    // The next round, which would mark them, is 100 ms away.
    await redis.flushall();
    await holds('call-events', 4);
    await allMarked();
  });

  it('marks what it relayed when it is stopped', async () => {
    const { relay: made } = startRelay({ sweepMs: 60_000 });
    await waitFor(() => redis.get('bull:call-events:ringline-complete'), { what: 'the first round' });
    await world.commit([await world.addCall(tenantId), ...milestones]);
    made.nudge();
    await holds('call-events', 4);
    await made.stop();
    expect(await unrelayed()).toBe(0);
  });

  it('passes over a queue that nobody reads when it is full, and health warns', async () => {
    const { link } = startRelay({ extra: ['unread'], cap: 3 });
    const connection = redis.duplicate({ maxRetriesPerRequest: null });
    const consumer = new Worker('call-events', () => Promise.resolve(), { connection });
    try {
      for (let i = 0; i < 6; i++) {
        await world.commit([await world.addCall(tenantId), 'call.started']);
        await allMarked();
      }
      expect(await waiting('unread')).toBe(3);
      await waitFor(() => link.health().status === 'degraded', { what: 'health to warn' });
      expect(link.health().warnings).toEqual([
        {
          code: 'queue-full',
          detail: 'Queue unread holds 3 events that nobody took; new events are not added to it.',
        },
      ]);
    } finally {
      await consumer.close(true);
      connection.disconnect();
    }
  });

  const askReplay = async (queue: string, fromSecondsAgo: number): Promise<string> => {
    const id = newId();
    await world.query(
      `insert into queue_replay (id, queue, from_at, to_at) values ($1, $2, now() - make_interval(secs => $3), now() + interval '1 hour')`,
      [id, queue, fromSecondsAgo],
    );
    return id;
  };
  const replayOf = async (id: string): Promise<{ added: number; finished: boolean } | undefined> =>
    (
      await world.query<{ added: number; finished: boolean }[]>(
        `select added, finished_at is not null as finished from queue_replay where id = $1`,
        [id],
      )
    )[0];
  const isDone = (id: string): Promise<true> =>
    waitFor(async () => (await replayOf(id))?.finished === true, { what: 'the replay to be done', timeoutMs: 20_000 });

  it('fills one queue again with the events of a time, also those that were worked off', async () => {
    const call = await world.addCall(tenantId);
    const old = await world.commit([call, 'call.started']);
    await world.query(`update call_event set created_at = now() - interval '2 hours'`);
    const events = await world.commit([call, 'call.ringing', 'call.ended']);
    startRelay({ extra: ['crm-copy'] });
    await holds('crm-copy', 3);
    await allMarked();
    const handled: string[] = [];
    const worker = new Worker(
      'crm-copy',
      (job) => {
        handled.push(job.id ?? '');
        return Promise.resolve();
      },
      { connection: redis },
    );
    try {
      await waitFor(() => handled.length === 3, { what: 'all to be worked off' });
      const id = await askReplay('crm-copy', 3600);
      await isDone(id);
      await waitFor(() => handled.length === 5, { what: 'the replayed ones' });
      expect(handled).toEqual([...old, ...events, ...events].map((event) => event.id));
      expect(await replayOf(id)).toEqual({ added: 2, finished: true });
      expect(await waiting('call-events')).toBe(3);
    } finally {
      await worker.close();
    }
  });

  it('goes on with a replay as its queue gets room, and where another process left off', async () => {
    for (let i = 0; i < 6; i++) {
      const calls = await Promise.all(Array.from({ length: 100 }, () => world.addCall(tenantId)));
      await world.commit(...calls.map((call) => [call, 'call.started'] as const));
    }
    const { relay: first } = startRelay({ extra: ['crm-copy'], cap: 400 });
    await allMarked();
    await redis.del('bull:crm-copy:wait');
    const id = await askReplay('crm-copy', 3600);
    await waitFor(async () => ((await replayOf(id))?.added ?? 0) >= 400, { what: 'the queue to be full' });
    expect(await replayOf(id)).toEqual({ added: 500, finished: false });
    await first.stop();
    await redis.del('bull:crm-copy:wait');
    startRelay({ extra: ['crm-copy'], cap: 400 });
    await isDone(id);
    expect(await replayOf(id)).toEqual({ added: 600, finished: true });
    expect(await waiting('crm-copy')).toBe(100);
  });

  it('does not wait for a queue that is no longer filled', async () => {
    const id = await askReplay('forgotten', 3600);
    startRelay();
    await isDone(id);
  });

  it('refuses a Redis that evicts keys until it is set right', async () => {
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const { link } = startRelay();
    await world.commit([await world.addCall(tenantId), 'call.started']);
    await waitFor(() => link.state.status === 'refused', { what: 'the refusal' });
    expect(link.health()).toEqual({
      name: 'redis',
      status: 'down',
      detail: 'Redis has maxmemory-policy allkeys-lru, which throws jobs away. Set it to noeviction.',
    });
    expect(await redis.dbsize()).toBe(0);
    await redis.config('SET', 'maxmemory-policy', 'noeviction');
    await holds('call-events', 1);
  });

  it('starts without Redis and carries on when it comes', async () => {
    await lab.redis.kill();
    const { link } = startRelay();
    await world.commit([await world.addCall(tenantId), 'call.started']);
    await waitFor(() => link.health().detail?.includes('ECONNREFUSED'), { what: 'the reason' });
    await lab.redis.start();
    await holds('call-events', 1);
  });

  describe('webhooks beside Redis', () => {
    let receiver: WebhookReceiver;
    beforeEach(async () => {
      receiver = await WebhookReceiver.start();
    });
    afterEach(() => receiver.stop());

    it('are retried on time by a wake-up of the queue, long before the sweep', async () => {
      const endpoint = await world.addEndpoint(tenantId, receiver.url);
      receiver.respond = (_request, count) => ({ status: count === 1 ? 500 : 200 });
      const link = world.redis(lab.redis.url);
      await waitFor(() => link.state.status === 'ready', { what: 'Redis' });
      const { sender } = world.sender({ link, schedule: [0, 1], limits: { sweepMs: 60_000 } });
      await world.commit([await world.addCall(tenantId), 'call.started']);
      sender.nudge([tenantId]);
      await waitFor(() => world.isFinished(endpoint.id), { what: 'the retry' });
      const [first, second] = receiver.received;
      expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(700);
      expect((second?.at ?? 0) - (first?.at ?? 0)).toBeLessThan(5_000);
    });

    it('go out at once and are retried by the sweep while Redis is away or was flushed', async () => {
      const endpoint = await world.addEndpoint(tenantId, receiver.url);
      receiver.respond = (_request, count) => ({ status: count === 1 ? 500 : 200 });
      const link = world.redis(lab.redis.url);
      await waitFor(() => link.state.status === 'ready', { what: 'Redis' });
      const { sender, metrics } = world.sender({ link, schedule: [0, 0.5], limits: { sweepMs: 1_000 } });
      await world.commit([await world.addCall(tenantId), 'call.started']);
      sender.nudge([tenantId]);
      await waitFor(() => receiver.received.length === 1, { what: 'the first try' });
      await redis.flushall();
      await waitFor(() => world.isFinished(endpoint.id), { what: 'the retry after the flush' });
      expect(receiver.received).toHaveLength(2);

      await lab.redis.kill();
      await waitFor(() => link.state.status === 'connecting', { what: 'Redis to be gone' });
      await world.commit([await world.addCall(tenantId), ...milestones]);
      sender.nudge([tenantId]);
      await waitFor(() => world.isFinished(endpoint.id), { what: 'deliveries without Redis' });
      expect(receiver.received).toHaveLength(6);
      expect(await metrics.metrics()).toMatch(/ringline_webhook_lag_seconds_count 5/);
    });
  });
});

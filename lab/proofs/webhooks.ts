import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import type { OutboxEvent } from '../../src/outbox/outbox.js';
import { DeliveryLab } from '../delivery-lab.js';
import type { EventWriter, WrittenCall } from '../event-writer.js';
import { Chance } from '../replay/chance.js';
import { readFixtures, type ExpectedCall } from '../replay/fixture.js';
import type { LabRingline } from '../ringline.js';
import { waitFor } from '../wait-for.js';
import { FickleReceiver } from './fickle-receiver.js';
import { judgeDeliveries, type DeliveryFigures, type StoredDelivery } from './judge-deliveries.js';

export type WebhookFigures = DeliveryFigures & {
  readonly seconds: number;
  readonly callsPerSecond: number;
  readonly endpoints: number;
  readonly kills: number;
  readonly flushes: number;
  /** From the last commit until nothing was pending; null when that did not come in ten minutes. */
  readonly settledSeconds: number | null;
};

const CALLS_PER_SECOND = 20;
/** Of a tenant each. A timeout holds one of the four requests that an endpoint may have open for ten seconds. */
const ENDPOINTS = 20;
/** From one event of a call to its next, ms. */
const BETWEEN_EVENTS_MS = 1_500;
/** What comes in this time is committed together, ms. */
const TICK_MS = 25;
const SETTLE_MS = 600_000;
/** Seconds before each try; long enough that no chance uses all of them up. */
const SCHEDULE = [0, 1, 2, 4, 8, 16, 32, ...Array<number>(13).fill(60)];

/** Calls at a steady rate to receivers that fail at random, while the worker is killed and Redis is emptied. */
export async function proveWebhooks(options: {
  readonly seed: number;
  readonly seconds: number;
  readonly killEverySeconds: number;
  readonly report: (line: string) => void;
}): Promise<WebhookFigures> {
  const delivery = await DeliveryLab.start();
  try {
    return await run(delivery, options);
  } finally {
    await delivery.stop();
  }
}

async function run(
  delivery: DeliveryLab,
  { seed, seconds, killEverySeconds, report }: Parameters<typeof proveWebhooks>[0],
): Promise<WebhookFigures> {
  const chance = new Chance(seed);
  const receiver = await FickleReceiver.start(new Chance(seed + 1));
  const worker = await delivery.worker({ env: { WEBHOOK_RETRY_SECONDS: SCHEDULE.join(',') } });
  const tenants: string[] = [];
  for (let n = 0; n < ENDPOINTS; n++) {
    const { tenantId, secret } = await delivery.addEndpoint(receiver.urlOf(String(n)));
    receiver.expect(String(n), secret);
    tenants.push(tenantId);
  }

  const [committed, kills] = await Promise.all([
    writeCalls(delivery, tenants, chance, seconds),
    strike(delivery.lab.redis.url, worker, { seconds, killEverySeconds, report }),
  ]);
  report(`${committed.size} events are committed; waiting until nothing is pending`);
  const overAt = Date.now();
  const pending = async (): Promise<number> => {
    const [row]: { count: number }[] = await delivery.source.query(
      `select count(*)::int as count from delivery where status = 'pending'`,
    );
    return row?.count ?? Number.NaN;
  };
  const settled = await waitFor(async () => (await pending()) === 0, {
    what: 'nothing to be pending',
    timeoutMs: SETTLE_MS,
    everyMs: 500,
  }).catch(() => false);
  const settledSeconds = settled ? Math.round((Date.now() - overAt) / 100) / 10 : null;
  const stored: StoredDelivery[] = await delivery.source.query(
    `select event_id as "eventId", call_id as "callId", sequence, status from delivery`,
  );
  await worker.stop();
  await receiver.stop();
  return {
    seconds,
    callsPerSecond: CALLS_PER_SECOND,
    endpoints: ENDPOINTS,
    kills,
    flushes: 1,
    settledSeconds,
    ...judgeDeliveries(stored, receiver.arrivals, committed),
  };
}

/** Kills the worker time and again and starts it at once; empties Redis once, between two kills. Gives how often it killed. */
async function strike(
  redisUrl: string,
  worker: LabRingline,
  { seconds, killEverySeconds, report }: { seconds: number; killEverySeconds: number; report: (line: string) => void },
): Promise<number> {
  const startedAt = Date.now();
  const until = (at: number): Promise<void> => sleep(Math.max(0, startedAt + at * 1000 - Date.now()));
  let kills = 0;
  for (let at = killEverySeconds; at < seconds; at += killEverySeconds) {
    await until(at);
    await worker.kill();
    await worker.start();
    kills += 1;
    report(`${at} s: the worker was killed`);
    if (kills !== Math.ceil(seconds / killEverySeconds / 2)) continue;
    await until(at + killEverySeconds / 2);
    await emptyRedis(redisUrl);
    report(`${at + killEverySeconds / 2} s: Redis was emptied`);
  }
  return kills;
}

async function emptyRedis(url: string): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true });
  await redis.connect();
  await redis.flushall();
  redis.disconnect();
}

type RunningCall = { readonly call: WrittenCall; readonly like: ExpectedCall; nextAt: number };

/** Calls like those of the fixtures, each with its events one after the other. Gives when each event was committed. */
async function writeCalls(
  delivery: DeliveryLab,
  tenants: readonly string[],
  chance: Chance,
  seconds: number,
): Promise<ReadonlyMap<string, number>> {
  const alike = (await readFixtures()).flatMap(({ expected }) => expected.filter(({ events }) => events.length > 0));
  const { writer } = delivery;
  const committed = new Map<string, number>();
  const running = new Set<RunningCall>();
  const startedAt = Date.now();
  let begun = 0;
  while (begun < seconds * CALLS_PER_SECOND || running.size > 0) {
    const now = Date.now();
    const due = Math.min(seconds, (now - startedAt) / 1000) * CALLS_PER_SECOND;
    const fresh = Array.from({ length: Math.max(0, Math.floor(due) - begun) }, () => chance.pick(tenants));
    begun += fresh.length;
    if (fresh.length > 0) {
      for (const call of await writer.addCalls(fresh)) running.add({ call, like: chance.pick(alike), nextAt: now });
    }
    const events = [...running].filter(({ nextAt }) => nextAt <= now).map((one) => step(writer, one, chance, running));
    if (events.length > 0) {
      const at = await delivery.commit(events);
      for (const { id } of events) committed.set(id, at);
    }
    await sleep(TICK_MS);
  }
  return committed;
}

/** The call's next event; it runs no more after its last. */
function step(writer: EventWriter, one: RunningCall, chance: Chance, running: Set<RunningCall>): OutboxEvent {
  const { call, like } = one;
  const type = like.events[call.sequence] ?? 'call.updated';
  const event = writer.next(call, type, (own) => ({ ...like.record, ...own }));
  if (call.sequence >= like.events.length) running.delete(one);
  // Some events follow each other at once.
  one.nextAt += chance.isBelow(0.2) ? 0 : BETWEEN_EVENTS_MS * (0.5 + chance.next());
  return event;
}

/** Whether all that was promised held. */
export function webhooksHeld(figures: WebhookFigures): boolean {
  const { kills, settledSeconds, failedShare, pending, dead, newestMissing, wrong } = figures;
  return (
    kills >= 2 &&
    settledSeconds !== null &&
    failedShare > 0.25 &&
    failedShare < 0.35 &&
    pending + dead + newestMissing === 0 &&
    wrong.length === 0
  );
}

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { quantile, round } from '../../bench/statistics.js';
import { newId } from '../../src/common/ids.js';
import { DeliveryStore, type ClaimedDelivery } from '../../src/webhooks/delivery-store.js';
import { addBacklog } from '../backlog.js';
import { DeliveryLab } from '../delivery-lab.js';
import { PromptReceiver } from '../prompt-receiver.js';
import { readFixtures } from '../replay/fixture.js';
import { waitFor } from '../wait-for.js';

type Lag = { readonly p50: number; readonly p99: number };

export type BacklogFigures = {
  readonly due: number;
  readonly endpoints: number;
  readonly filledSeconds: number;
  readonly databaseMb: number;
  /** Claims one after the other, each of as many as it may take, and what each took, ms. */
  readonly picks: { readonly count: number; readonly claimedEach: number; readonly ms: Lag & { readonly max: number } };
  /** By the worker, while new calls come. */
  readonly drain: {
    readonly seconds: number;
    readonly perSecond: number;
    /** New calls, and from the commit of their first event to its arrival, ms. */
    readonly calls: number;
    readonly firstDeliveryMs: Lag;
    /** Of the backlog, when the last of the new calls had its first delivery. */
    readonly left: number;
  };
  /** From the commit to the arrival at 49 endpoints, beside one more that takes its events and beside one that hangs, ms. */
  readonly neighbours: { readonly well: Lag; readonly dead: Lag; readonly p99Ratio: number };
};

const ENDPOINTS = 50;
/** What a claim may take in all and for one endpoint, as much as the worker does at some hundreds a second. */
const PICK = 64;
const PICK_ROOM = 4;
const NEW_CALLS_PER_SECOND = 5;
/** For the comparison: events a second for each endpoint. */
const EVENTS_PER_SECOND = 1;

/** Due deliveries by the million: does picking stay quick, and what happens now not wait? Is a dead neighbour noticed? */
export async function proveBacklog(options: {
  readonly due: number;
  readonly picks: number;
  readonly drainSeconds: number;
  readonly compareSeconds: number;
  readonly report: (line: string) => void;
}): Promise<BacklogFigures> {
  const { due, report, compareSeconds } = options;
  const delivery = await DeliveryLab.start();
  const receiver = new PromptReceiver();
  try {
    const endpoints: Endpoint[] = [];
    const startedAt = performance.now();
    const shares = Array.from({ length: ENDPOINTS }, (_, i) => 1 / (i + 1));
    const all = shares.reduce((sum, share) => sum + share);
    for (const share of shares) {
      const endpoint = await delivery.addEndpoint(await receiver.open());
      endpoints.push(endpoint);
      await addBacklog(delivery.writer, endpoint, (due * share) / all);
    }
    const filledSeconds = round((performance.now() - startedAt) / 1000);
    const [size]: { mb: number }[] = await delivery.source.query(
      `select (pg_database_size(current_database()) / 1000000)::int as mb`,
    );
    report(`${due} deliveries are due: ${filledSeconds} s, ${size?.mb} MB`);
    const picks = await measurePicks(delivery, endpoints, options.picks);
    report(`picks: ${JSON.stringify(picks)}`);
    const drain = await measureDrain(delivery, receiver, endpoints, options.drainSeconds);
    report(`drain: ${JSON.stringify(drain)}`);
    const neighbours = await measureNeighbours(compareSeconds);
    report(`neighbours: ${JSON.stringify(neighbours)}`);
    return { due, endpoints: ENDPOINTS, filledSeconds, databaseMb: size?.mb ?? Number.NaN, picks, drain, neighbours };
  } finally {
    await delivery.stop();
    await receiver.stop();
  }
}

type Endpoint = { readonly tenantId: string; readonly id: string };

async function measurePicks(
  { source }: DeliveryLab,
  endpoints: readonly Endpoint[],
  count: number,
): Promise<BacklogFigures['picks']> {
  const store = new DeliveryStore(source, newId(), 45);
  const request = {
    tenantIds: null,
    room: new Map(endpoints.map(({ id }) => [id, PICK_ROOM])),
    otherRoom: PICK_ROOM,
    tenantRoom: new Map<string, number>(),
    otherTenantRoom: PICK,
    limit: PICK,
  };
  const took: number[] = [];
  let claimed = 0;
  for (let n = 0; n < count; n++) {
    const startedAt = performance.now();
    const { deliveries } = await store.claim(request);
    took.push(performance.now() - startedAt);
    claimed += deliveries.length;
    await store.complete(deliveries.map(takenAtOnce));
  }
  return { count, claimedEach: round(claimed / count), ms: { ...lagOf(took), max: round(Math.max(...took)) } };
}

function takenAtOnce({ tenantId, id, attempt }: ClaimedDelivery): Parameters<DeliveryStore['complete']>[0][number] {
  const what = { durationMs: 1, status: 204, error: null, excerpt: '', result: 'delivered', retryInMs: null } as const;
  return { tenantId, deliveryId: id, number: attempt, startedAt: new Date(), ...what };
}

/** The worker sends the backlog, while new calls come to all endpoints in turn. */
async function measureDrain(
  delivery: DeliveryLab,
  receiver: PromptReceiver,
  endpoints: readonly Endpoint[],
  seconds: number,
): Promise<BacklogFigures['drain']> {
  const worker = await delivery.worker();
  await waitFor(() => receiver.count > 0, { what: 'the worker to send', timeoutMs: 30_000 });
  const before = receiver.count;
  const startedAt = performance.now();
  const committed = await commitSteadily(delivery, endpoints, { perSecond: NEW_CALLS_PER_SECOND, seconds });
  const sent = receiver.count - before;
  const tookSeconds = (performance.now() - startedAt) / 1000;
  await allArrived(receiver, committed);
  const [row]: { left: number }[] = await delivery.source.query(
    `select count(*)::int as left from delivery where status = 'pending'`,
  );
  await worker.stop();
  return {
    seconds,
    perSecond: round(sent / tookSeconds),
    calls: committed.size,
    firstDeliveryMs: lagOf(lags(receiver, committed)),
    left: row?.left ?? Number.NaN,
  };
}

/** The same load twice: all endpoints are well; one takes its requests and never answers. */
async function measureNeighbours(seconds: number): Promise<BacklogFigures['neighbours']> {
  const well = await measureBeside('well', seconds);
  const dead = await measureBeside('dead', seconds);
  return { well, dead, p99Ratio: round(dead.p99 / well.p99) };
}

async function measureBeside(neighbour: 'well' | 'dead', seconds: number): Promise<Lag> {
  const delivery = await DeliveryLab.start();
  const receiver = new PromptReceiver();
  const hanging = createServer(() => undefined);
  try {
    await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
    const deadUrl = `http://127.0.0.1:${(hanging.address() as AddressInfo).port}/`;
    const others: Endpoint[] = [];
    for (let n = 1; n < ENDPOINTS; n++) others.push(await delivery.addEndpoint(await receiver.open()));
    const last = await delivery.addEndpoint(neighbour === 'dead' ? deadUrl : await receiver.open());
    const worker = await delivery.worker();
    await waitFor(async () => (await worker.call('GET', '/health/ready')).status === 200, { what: 'the worker' });
    const perSecond = ENDPOINTS * EVENTS_PER_SECOND;
    const warmUp = await commitSteadily(delivery, [...others, last], { perSecond, seconds: 2 });
    const committed = await commitSteadily(delivery, [...others, last], { perSecond, seconds });
    const toOthers = new Map([...committed].filter(([, { tenantId }]) => tenantId !== last.tenantId));
    await allArrived(receiver, toOthers);
    await worker.stop();
    return warmUp.size > 0 ? lagOf(lags(receiver, toOthers)) : { p50: Number.NaN, p99: Number.NaN };
  } finally {
    await delivery.stop();
    await receiver.stop();
    hanging.closeAllConnections();
    hanging.close();
  }
}

type Committed = ReadonlyMap<string, { readonly at: number; readonly tenantId: string }>;

/** The first events of new calls, one after the other to each endpoint in turn. Gives when each was committed. */
async function commitSteadily(
  delivery: DeliveryLab,
  endpoints: readonly Endpoint[],
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
): Promise<Committed> {
  const [like] = (await readFixtures()).flatMap(({ expected }) => expected);
  if (like === undefined) throw new Error('there is no fixture');
  const committed = new Map<string, { at: number; tenantId: string }>();
  const startedAt = performance.now();
  for (let n = 0; n < perSecond * seconds; n++) {
    const { tenantId } = endpoints[n % endpoints.length] as Endpoint;
    const [call] = await delivery.writer.addCalls([tenantId]);
    if (call === undefined) throw new Error('no call was written');
    const event = delivery.writer.next(call, 'call.started', (own) => ({ ...like.record, ...own }));
    await sleep(Math.max(0, startedAt + (n * 1000) / perSecond - performance.now()));
    committed.set(event.id, { at: await delivery.commit([event]), tenantId });
  }
  return committed;
}

async function allArrived(receiver: PromptReceiver, committed: Committed): Promise<void> {
  const are = (): boolean => [...committed.keys()].every((id) => receiver.arrivedAt.has(id));
  await waitFor(are, { what: 'the new calls to arrive', timeoutMs: 60_000, everyMs: 100 });
}

function lags(receiver: PromptReceiver, committed: Committed): number[] {
  return [...committed].map(([id, { at }]) => (receiver.arrivedAt.get(id) ?? Number.NaN) - at);
}

function lagOf(values: readonly number[]): Lag {
  return { p50: round(quantile(values, 0.5)), p99: round(quantile(values, 0.99)) };
}

const MOST_PICK_MS = 20;
const MOST_FIRST_DELIVERY_MS = 2_000;
const MOST_RATIO = 1.1;

/**
 * Whether all that was promised held. In a minute, on a machine that has other things to do, times are told and not judged.
 */
export function backlogHeld({ picks, drain, neighbours }: BacklogFigures, judgesTimes: boolean): boolean {
  const inTime =
    picks.ms.p99 <= MOST_PICK_MS &&
    drain.firstDeliveryMs.p99 <= MOST_FIRST_DELIVERY_MS &&
    neighbours.p99Ratio <= MOST_RATIO;
  // The new calls had their first delivery while most of what was due before them still was.
  return drain.left > 0 && drain.calls > 0 && (inTime || !judgesTimes);
}

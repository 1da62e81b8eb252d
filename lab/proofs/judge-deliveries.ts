import { quantile } from '../../bench/statistics.js';
import { receptions, type Arrival, type Reception } from './fickle-receiver.js';

/** A delivery as the database has it at the end. Each call has one endpoint. */
export type StoredDelivery = {
  readonly eventId: string;
  readonly callId: string;
  readonly sequence: number;
  readonly status: 'pending' | 'delivered' | 'superseded' | 'dead';
};

export type DeliveryFigures = {
  readonly calls: number;
  readonly events: number;
  readonly delivered: number;
  readonly superseded: number;
  readonly pending: number;
  readonly dead: number;
  /** Calls whose newest document was not taken. */
  readonly newestMissing: number;
  /** Requests that arrived, by what they met; and the share that failed. */
  readonly requests: Readonly<Record<Reception, number>>;
  readonly failedShare: number;
  /** Events that were taken more than once: the answer was lost with the worker that waited for it. */
  readonly duplicates: number;
  readonly mostTries: number;
  /** From the commit to the arrival of the first try, ms. */
  readonly lagMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** What disagrees with what is promised, in words; the first of it. */
  readonly wrong: readonly string[];
};

const MOST_WRONG = 20;

/** Compares what arrived with what was committed and with what the database says came of it. */
export function judgeDeliveries(
  stored: readonly StoredDelivery[],
  arrivals: readonly Arrival[],
  committed: ReadonlyMap<string, number>,
): DeliveryFigures {
  const wrong: string[] = [];
  const count = (status: StoredDelivery['status']): number => stored.filter((row) => row.status === status).length;
  const events = new Map(stored.map((row) => [row.eventId, row]));
  for (const id of committed.keys()) if (!events.has(id)) wrong.push(`${id} was committed and has no delivery`);

  const taken = new Map<string, number>();
  const tries = new Map<string, number>();
  const lags: number[] = [];
  /** The highest sequence of each call that has arrived so far. */
  const highest = new Map<string, number>();
  for (const { eventId, callId, sequence, at, reception, isGenuine } of arrivals) {
    const row = events.get(eventId);
    if (!isGenuine) wrong.push(`${eventId} is not signed as it should be`);
    // Another id for the same event would be the id of no delivery, or of another one.
    if (row?.callId !== callId || row.sequence !== sequence) wrong.push(`${callId} ${sequence} came as ${eventId}`);
    if (!tries.has(eventId)) {
      lags.push(at - (committed.get(eventId) ?? Number.NaN));
      const before = highest.get(callId) ?? 0;
      if (sequence <= before) wrong.push(`${callId}: ${sequence} came first after ${before}`);
      highest.set(callId, Math.max(sequence, before));
    }
    tries.set(eventId, (tries.get(eventId) ?? 0) + 1);
    if (reception === 'taken') taken.set(eventId, (taken.get(eventId) ?? 0) + 1);
  }

  const newest = new Map<string, StoredDelivery>();
  for (const row of stored) if (row.sequence > (newest.get(row.callId)?.sequence ?? 0)) newest.set(row.callId, row);
  for (const row of stored) {
    if (row.status === 'delivered' && !taken.has(row.eventId))
      wrong.push(`${row.eventId} is delivered, but never came`);
    if (row.status === 'superseded' && newest.get(row.callId)?.status !== 'delivered')
      wrong.push(`${row.eventId} gave way to an event that was not delivered`);
  }
  const requests = Object.fromEntries(
    receptions.map((kind) => [kind, arrivals.filter(({ reception }) => reception === kind).length]),
  ) as Record<Reception, number>;
  return {
    calls: newest.size,
    events: stored.length,
    delivered: count('delivered'),
    superseded: count('superseded'),
    pending: count('pending'),
    dead: count('dead'),
    newestMissing: [...newest.values()].filter(({ eventId }) => !taken.has(eventId)).length,
    requests,
    failedShare: Math.round((1 - requests.taken / arrivals.length) * 1000) / 1000,
    duplicates: [...taken.values()].filter((times) => times > 1).length,
    mostTries: Math.max(0, ...tries.values()),
    lagMs: { p50: quantile(lags, 0.5), p99: quantile(lags, 0.99), max: quantile(lags, 1) },
    wrong: wrong.slice(0, MOST_WRONG),
  };
}

import { describe, expect, it } from 'vitest';
import type { Arrival } from './fickle-receiver.js';
import { judgeDeliveries, type DeliveryFigures, type StoredDelivery } from './judge-deliveries.js';

const arrival = (sequence: number, changes: Partial<Arrival> = {}): Arrival => ({
  endpoint: 'e',
  eventId: `event-${sequence}`,
  callId: 'call',
  sequence,
  at: 1_000 + sequence,
  reception: 'taken',
  isGenuine: true,
  ...changes,
});
const stored = (sequence: number, status: StoredDelivery['status']): StoredDelivery => ({
  eventId: `event-${sequence}`,
  callId: 'call',
  sequence,
  status,
});
function judged(rows: readonly StoredDelivery[], arrivals: readonly Arrival[]): DeliveryFigures {
  return judgeDeliveries(rows, arrivals, new Map([1, 2, 3].map((n) => [`event-${n}`, 1_000])));
}
const all = [stored(1, 'delivered'), stored(2, 'delivered'), stored(3, 'delivered')];

describe('what arrived, judged', () => {
  it('is right when each event came in order, some twice, and what gave way did so to one that was taken', () => {
    const rows = [stored(1, 'delivered'), stored(2, 'superseded'), stored(3, 'delivered')];
    const figures = judged(rows, [arrival(1), arrival(1), arrival(2, { reception: 'reset' }), arrival(3)]);
    expect(figures).toMatchObject({ wrong: [], newestMissing: 0, duplicates: 1, superseded: 1, failedShare: 0.25 });
    expect(figures.lagMs).toEqual({ p50: 2, p99: 3, max: 3 });
  });

  it.each([
    [
      'an event under another id',
      [arrival(1, { eventId: 'event-2' }), arrival(2), arrival(3)],
      'call 1 came as event-2',
    ],
    ['an earlier one after a later', [arrival(1), arrival(3), arrival(2)], 'call: 2 came first after 3'],
    [
      'a bad signature',
      [arrival(1, { isGenuine: false }), arrival(2), arrival(3)],
      'event-1 is not signed as it should be',
    ],
    ['one that only the database knows', [arrival(1), arrival(3)], 'event-2 is delivered, but never came'],
  ])('is wrong for %s', (_what, arrivals, said) => expect(judged(all, arrivals).wrong).toContain(said));

  it('is wrong for a commit without a delivery, and for what gave way to nothing', () => {
    expect(judged([stored(1, 'superseded'), stored(2, 'dead')], []).wrong).toEqual([
      'event-3 was committed and has no delivery',
      'event-1 gave way to an event that was not delivered',
    ]);
  });

  it('counts calls whose newest document is missing, pending and dead ones', () => {
    const figures = judged([stored(1, 'delivered'), stored(2, 'dead'), stored(3, 'pending')], [arrival(1)]);
    expect(figures).toMatchObject({ newestMissing: 1, pending: 1, dead: 1 });
  });
});

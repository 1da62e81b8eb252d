import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Purpose } from '../client/purpose.js';
import type { Limit } from '../port/limit.js';
import { LimitState } from './limit-state.js';
import { RateGates } from './rate-gates.js';

const CONNECTION = 'c';

/** Gates over limits in memory, by the clock of the test. */
function gates(limits: readonly Limit[]) {
  const state = new LimitState();
  const made = new RateGates({
    take: (_, bounds, cost, lease) => Promise.resolve({ ...state.take(bounds, Date.now(), cost, lease), at: null }),
    leave: (_, bounds, cost, lease) => state.leave(bounds, Date.now(), cost, lease),
    close: (_, ms) => Promise.resolve(state.close(Date.now(), ms)),
  });
  const log: string[] = [];
  return {
    log,
    gate: (purpose: Purpose) => made.gateOf(CONNECTION, limits, purpose),
    /** Asks, and writes down when it went. */
    ask: (name: string, purpose: Purpose, lane?: string) =>
      made
        .gateOf(CONNECTION, limits, purpose)
        .enter(1, lane)
        .then((entered) => {
          log.push('afterMs' in entered ? `${name} told` : name);
          return entered;
        }),
  };
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the queue at a gate', () => {
  it('lets go in the order of purposes, and of arrival within one', async () => {
    const { ask, log } = gates([{ kind: 'bucket', capacity: 1.3, perSecond: 1 }]);
    await ask('first', 'open');
    for (const [name, purpose] of [
      ['b1', 'backfill'],
      ['c1', 'close'],
      ['b2', 'backfill'],
      ['pop1', 'pop'],
      ['pop2', 'pop'],
    ] as const) {
      void ask(name, purpose);
    }
    await vi.advanceTimersByTimeAsync(2_900);
    expect(log).toEqual(['first', 'pop1', 'pop2']);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(log.slice(3).toSorted()).toEqual(['b1 told', 'b2 told', 'c1 told']);
  });

  it('never lets what is caught up on pass a pop that waits', async () => {
    const { ask, log } = gates([{ kind: 'window', requests: 10, seconds: 2 }]);
    for (let i = 0; i < 30; i++) void ask(`b${i}`, 'backfill');
    await vi.advanceTimersByTimeAsync(1_000);
    const before = log.length;
    for (let i = 0; i < 5; i++) void ask(`pop${i}`, 'pop');
    await vi.advanceTimersByTimeAsync(1_900);
    expect(log.slice(before, before + 5)).toEqual(['pop0', 'pop1', 'pop2', 'pop3', 'pop4']);
  });

  it('tells of a wait of more than a few seconds at once', async () => {
    const { ask, gate } = gates([{ kind: 'window', requests: 1, seconds: 60 }]);
    await ask('first', 'pop');
    await expect(gate('pop').enter(1, undefined)).resolves.toEqual({ afterMs: 60_250 });
  });

  it('lets others go while somebody waits for the limit of a lane', async () => {
    const { ask, log } = gates([{ kind: 'window', requests: 1, seconds: 1, lane: 'search' }]);
    void ask('search1', 'pop', 'search');
    void ask('search2', 'pop', 'search');
    void ask('close', 'close');
    await vi.advanceTimersByTimeAsync(10);
    expect(log).toEqual(['search1', 'close']);
    await vi.advanceTimersByTimeAsync(1_100);
    expect(log).toEqual(['search1', 'close', 'search2']);
  });

  it('lets the next one go when one of those that are open is done', async () => {
    const { gate, ask, log } = gates([{ kind: 'concurrent', most: 1 }]);
    const first = await gate('open').enter(1, undefined);
    void ask('second', 'open');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(log).toEqual([]);
    if ('leave' in first) first.leave();
    await vi.advanceTimersByTimeAsync(1);
    expect(log).toEqual(['second']);
  });

  it('stays closed as long as the vendor said', async () => {
    const { gate, ask, log } = gates([]);
    await gate('open').close(2_000);
    void ask('pop', 'pop');
    await vi.advanceTimersByTimeAsync(1_990);
    expect(log).toEqual([]);
    await vi.advanceTimersByTimeAsync(20);
    expect(log).toEqual(['pop']);
  });
});

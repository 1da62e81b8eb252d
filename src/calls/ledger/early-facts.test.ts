import { describe, expect, it } from 'vitest';
import type { Fact } from '../domain/fact.js';
import { EarlyFacts } from './early-facts.js';

const minute = 60_000;
const hour = 60 * minute;

function fact(key: number): Fact {
  return { leg: 'leg', kind: 'cause', key: String(key), at: key, source: 'switch', data: { q850: key } };
}

describe('facts of legs whose call is not there yet', () => {
  it('are kept for a minute', () => {
    const early = new EarlyFacts();
    early.hold('leg', [fact(1)], 0);
    early.hold('other', [fact(2)], 59_999);
    early.hold('leg', [fact(3)], 59_999);
    expect(early.of('leg')).toEqual([fact(1), fact(3)]);
    early.hold('third', [fact(4)], 60_000);
    expect(early.of('leg')).toEqual([]);
    expect(early.of('other')).toEqual([fact(2)]);
  });

  it('are kept while one of the legs is there, as of somebody who waits in a queue', () => {
    const early = new EarlyFacts();
    const made = (leg: string): Fact => {
      const data = { side: 'remote', linkedId: 'leg', sipCallId: null, name: null } as const;
      return { leg, kind: 'created', key: '', at: 0, source: 'switch', data };
    };
    const ended = (leg: string): Fact => {
      const data = { q850: 16, sip: null, text: null };
      return { leg, kind: 'ended', key: '', at: 0, source: 'switch', data };
    };
    early.hold('leg', [made('leg'), made('wire')], 0);
    early.hold('leg', [ended('leg')], 0);
    early.hold('other', [fact(1)], 11 * hour);
    expect(early.of('leg')).toHaveLength(3);
    early.hold('leg', [ended('wire')], 11 * hour);
    early.hold('third', [fact(2)], 11 * hour);
    expect(early.of('leg')).toEqual([]);
    early.hold('lost', [made('lost')], 11 * hour);
    early.hold('fourth', [fact(3)], 23 * hour);
    expect(early.of('lost')).toEqual([]);
    expect(early.of('third')).toEqual([]);
  });

  it('are bounded, whatever a switch tells: the newest legs, and the first facts of each', () => {
    const early = new EarlyFacts();
    for (let i = 0; i < 5_000; i++) early.hold(`leg ${i}`, [fact(i)], 0);
    const kept = Array.from({ length: 5_000 }, (_, i) => early.of(`leg ${i}`).length);
    expect(kept.lastIndexOf(0)).toBe(3_999);
    expect(kept.filter((count) => count === 1)).toHaveLength(1_000);
    for (let i = 0; i < 500; i++) early.hold('leg 4999', [fact(i)], 0);
    expect(early.of('leg 4999')).toHaveLength(200);
  });
});

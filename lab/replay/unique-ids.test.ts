import { describe, expect, it } from 'vitest';
import type { Call } from '../../src/calls/domain/call.js';
import type { Told } from '../../src/calls/ledger/told.js';
import { tellObservedInDisorder, stayed } from './observed-disorder.js';
import { observedLog, observedTold, play, summary } from './observed-stream.js';

// Asterisk counts its channels, so that of two of one moment the later may have the smaller id as a text: .9 and .10.

/** A merge, transfers, groups, a conference. */
const names = [
  'conference-of-two-customers.22',
  'attended-refer.22',
  'blind-refer.22',
  'attended-feature-code.16',
  'pick-up.22',
  'ring-group.22',
  'queue.16',
];
const RUNS = 6;

/** The ids of a stream's channels, in the order in which they were made. */
function idsOf(told: readonly Told[]): string[] {
  const all = told.flatMap(({ leg, sighting }) => [leg, ...(sighting === undefined ? [] : [sighting.linkedId])]);
  const count = (id: string): number => Number(id.split('.')[1]);
  return [...new Set(all)].filter((id) => /^\d+\.\d+$/.test(id)).toSorted((a, b) => count(a) - count(b));
}

/** The nth channel and the next one are made within one millisecond. */
function atOnce(told: readonly Told[], nth: number): Told[] {
  const [first, second] = idsOf(told).slice(nth);
  const facts = told.flatMap((one) => one.facts);
  const madeAt = facts.find(({ leg, kind }) => leg === first && kind === 'created')?.at;
  return told.map((one) => ({
    ...one,
    facts: one.facts.map((fact) =>
      fact.leg === second && fact.kind === 'created' && madeAt !== undefined ? { ...fact, at: madeAt } : fact,
    ),
  }));
}

/** A stream and its log with other ids: counted on within one second, so that of the nth and the next one gets a digit more. */
function recounted(name: string, nth: number, limit: number) {
  const told = atOnce(observedTold(name), nth);
  const log = observedLog(name);
  const ids = new Map<string, string>();
  const known = idsOf(told);
  const [second] = (known[0] ?? '').split('.');
  for (const [i, id] of known.entries()) ids.set(id, `${second}.${limit - 1 - nth + i}`);
  const back = new Map([...ids].map(([before, after]) => [after, before]));
  const renamed = <T>(value: T, as: ReadonlyMap<string, string>): T =>
    JSON.parse(JSON.stringify(value).replace(/\d{10}\.\d+/g, (id) => as.get(id) ?? id)) as T;
  return {
    told: renamed(told, ids),
    log: renamed(log, ids),
    /** Records with the ids that they had, in an order of their own. */
    asBefore: (calls: ReadonlyMap<string, Call>): unknown =>
      plain(new Map([...calls].map((one) => renamed(one, back)))),
  };
}

/** Records but for the ids that differ from run to run. */
function plain(calls: ReadonlyMap<string, Call>): unknown {
  return [...calls].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, call]) => [key, { ...call, id: '' }]);
}

const byLog = (log: readonly string[]) => play([], undefined, 0, log);
const byEvents = (told: readonly Told[]) => play(told);

describe.each([10, 100])('ids of channels that go beyond %i', (limit) => {
  it.each(names)('%s: make the same record, in disorder and by the log alone too', async (name) => {
    const told = observedTold(name);
    const byLogAlone = stayed(await byLog(observedLog(name)));
    expect(byLogAlone.size).toBeGreaterThan(0);
    const logged = plain(byLogAlone);
    const count = idsOf(told).length;
    expect(count).toBeGreaterThan(1);
    for (let nth = 0; nth < Math.min(count - 1, limit - 1); nth++) {
      const other = recounted(name, nth, limit);
      const before = await byEvents(atOnce(told, nth));
      const after = await byEvents(other.told);
      expect(summary(after), `the events, ${nth}`).toEqual(summary(before));
      const expected = plain(stayed(before));
      const outcome = stayed(after);
      expect(other.asBefore(outcome), `the events, ${nth}`).toEqual(expected);
      expect(other.asBefore(stayed(await byLog(other.log))), `the log, ${nth}`).toEqual(logged);
      for (let seed = 0; seed < RUNS; seed++)
        expect({ seed, broken: await tellObservedInDisorder({ told: other.told, records: outcome }, seed) }).toEqual({
          seed,
          broken: [],
        });
    }
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFixtures, type Fixture } from '../../../lab/replay/fixture.js';
import { MemoryStore } from '../../../lab/replay/memory-store.js';
import { replay } from '../../../lab/replay/replay.js';
import type { Call } from '../../calls/domain/call.js';
import { isOurs } from '../../calls/control/legs.js';
import { FactSet, gatherState } from '../../calls/domain/call-state.js';
import { changesBetween } from '../../calls/domain/changes.js';
import { NODE_RESTARTED, type Fact } from '../../calls/domain/fact.js';
import { foldCall } from '../../calls/domain/fold.js';
import { otherEndOfWire } from '../../calls/domain/wire.js';
import { LiveCall } from '../../calls/ledger/live-call.js';
import { nearEndId } from '../far-end.js';
import { parseCelLine, type CelLine } from './cel-line.js';
import { translateCel } from './translate-cel.js';

const nobody = {
  tenantId: '01936c7e-8b2a-7000-8000-0000000000aa',
  pbxNodeId: '01936c7e-8b2a-7000-8000-0000000000bb',
};

/** What events and log told about one call, and what Ringline knew by itself. */
type Told = {
  readonly name: string;
  readonly id: string;
  readonly own: readonly Fact[];
  readonly events: readonly Fact[];
  readonly log: readonly Fact[];
};

async function told({ name, entries, expected, log: text }: Fixture): Promise<Told> {
  const store = new MemoryStore();
  await replay(entries, store);
  const id = expected[0]?.record.id ?? '';
  const facts = store.factsOf(id);
  const lines = text.map((line) => {
    const read = parseCelLine(line);
    if (read === null) throw new Error(`the log of ${name} has a line that is no record: ${line}`);
    return read;
  });
  const startOf = (channel: string): number | null =>
    lines.find((line) => line.event === 'CHAN_START' && line.channel === channel)?.at ?? null;
  const app = entries[0]?.app ?? '';
  const isInApp = (one: CelLine): boolean => one.event === 'APP_START' && one.appData.split(',')[0] === app;
  const nearEndOf = ({ channel, name: wire }: CelLine): string | null =>
    nearEndId(channel) ??
    lines.find((one) => isInApp(one) && one.name === otherEndOfWire(wire) && !isOurs({ id: one.channel }))?.channel ??
    null;
  return {
    name,
    id,
    own: facts.filter(({ source }) => source === 'ringline'),
    events: facts.filter(({ source }) => source !== 'ringline'),
    log: lines.flatMap((line) => translateCel(line, app, startOf(line.channel), nearEndOf(line))?.facts ?? []),
  };
}

const fixtures = await readFixtures();
const calls = await Promise.all(fixtures.map(told));
const answered = calls.find(({ name }) => name === 'incoming-an-agent-answers-and-the-caller-hangs-up') as Told;

function record(id: string, facts: Iterable<Fact>): Call {
  const state = gatherState(id, new FactSet(facts).values());
  if (state === null) throw new Error('no call');
  return foldCall({ id, ...nobody }, state, 1);
}

/** What of a record the log can tell: it has no ringing, no SIP status and no SIP Call-ID. */
function logged({ status, outcome, estimated, hangup }: Call) {
  return { status, outcome, estimated, by: hangup?.by };
}

/** Times of the same call by other witnesses are the same within a second. */
function sameTimes(one: Call, other: Call): void {
  for (const field of ['startedAt', 'answeredAt', 'endedAt'] as const) {
    expect([field, one[field] === null]).toEqual([field, other[field] === null]);
    expect(Math.abs(Date.parse(one[field] ?? '') - Date.parse(other[field] ?? '')) || 0).toBeLessThan(1_000);
  }
  // A few ms may turn the rounding.
  for (const field of ['talkSeconds', 'durationSeconds'] as const)
    expect(Math.abs(one[field] - other[field])).toBeLessThanOrEqual(1);
}

const shuffled = (facts: readonly Fact[]) => fc.shuffledSubarray([...facts], { minLength: facts.length });

it('calls are kept of which both tell: incoming and placed, answered and not', () => {
  const outcomes = fixtures.flatMap(({ expected }) =>
    expected.map(({ record: { direction, outcome } }) => `${direction} ${outcome}`),
  );
  const some = ['inbound answered', 'inbound missed', 'inbound blocked', 'outbound answered', 'outbound busy'];
  expect(outcomes).toEqual(expect.arrayContaining(some));
});

describe.each(calls)('a recorded call ($name) of which events and log tell', ({ id, own, events, log }) => {
  const byEvents = record(id, [...own, ...events]);
  const whole = record(id, [...own, ...events, ...log]);

  it('has the record that its events alone give, and nothing is published when the log comes after them', () => {
    expect(byEvents).toMatchObject({ status: 'ended', estimated: false });
    expect(changesBetween(byEvents, whole)).toEqual([]);
    const { legs, sipCallIds, linkedId } = byEvents;
    expect(whole).toMatchObject({ sipCallIds, linkedId, legs: legs.map(({ sip, q850 }) => ({ sip, q850 })) });
  });

  it('has one record in any order and with any repetition', () => {
    const all = [...own, ...events, ...log];
    fc.assert(
      fc.property(shuffled(all), fc.array(fc.constantFrom(...all), { maxLength: 30 }), (facts, repeated) => {
        expect(record(id, [...facts, ...repeated])).toEqual(whole);
      }),
      { numRuns: 300 },
    );
  });

  it('has it by the log alone, but for what a log does not know', () => {
    const byLog = record(id, [...own, ...log]);
    // By which status the other side refused is known by events only, and without it an outcome may be another.
    const isRefused = whole.legs.some(({ sip }) => sip !== null && sip >= 400);
    const known = isRefused ? { ...logged(whole), outcome: byLog.outcome } : logged(whole);
    expect(logged(byLog)).toEqual(known);
    sameTimes(byLog, whole);
  });

  it('has it whichever events were lost', () => {
    fc.assert(
      fc.property(fc.subarray([...events]), (kept) => {
        const repaired = record(id, [...own, ...kept, ...log]);
        // Which status the other side's phone sent is known by events only, and without it an outcome may be another.
        const { outcome: _, ...rest } = logged(repaired);
        const { outcome: __, ...expected } = logged(whole);
        expect(rest).toEqual(expected);
        sameTimes(repaired, whole);
      }),
      { numRuns: 300 },
    );
  });

  it('has it whichever lines were lost, or not written any more: a log that came half lowers nothing', () => {
    fc.assert(
      fc.property(fc.subarray([...log]), (kept) => {
        const mixed = record(id, [...own, ...events, ...kept]);
        expect(logged(mixed)).toEqual(logged(whole));
        sameTimes(mixed, whole);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a call whose switch died', () => {
  const { id, own, events, log } = answered;
  const joined = Math.max(...events.filter(({ kind }) => kind === 'joined').map(({ at }) => at));
  const guess = (at: number): Fact[] =>
    [...new Set(events.map(({ leg }) => leg))].map((leg) => ({
      leg,
      kind: 'ended',
      key: '',
      at,
      source: 'estimate',
      data: { q850: null, sip: null, text: NODE_RESTARTED },
    }));

  it('was answered, whatever of it was told and wherever its end was guessed, in any order', () => {
    const before = (facts: readonly Fact[]) => facts.filter(({ at }) => at <= joined + 50);
    const known = [...own, ...before(events), ...before(log)];
    fc.assert(
      fc.property(
        fc.subarray(before(events)),
        fc.integer({ min: -60_000, max: 60_000 }),
        fc.boolean(),
        (kept, after, hasEvents) => {
          const facts = [...own, ...(hasEvents ? kept : []), ...before(log), ...guess(joined + after)];
          const call = record(id, facts);
          expect(call).toMatchObject({ status: 'ended', outcome: 'answered', estimated: true });
          expect(record(id, facts.toReversed())).toEqual(call);
          expect(Date.parse(call.endedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(call.answeredAt ?? ''));
        },
      ),
      { numRuns: 300 },
    );
    expect(record(id, known).status).toBe('answered');
  });
});

describe('an end that had to be inferred', () => {
  const { id, own, events, log } = answered;
  const untilJoined = events.filter(
    ({ kind }) => !['parted', 'hangup-asked', 'cause', 'left-control', 'ended'].includes(kind),
  );
  const guesses = (afterMs: number): Fact[] =>
    events
      .filter(({ kind }) => kind === 'ended')
      .map(
        (fact) =>
          ({ ...fact, at: fact.at + afterMs, source: 'estimate', data: { q850: null, sip: null, text: null } }) as Fact,
      );

  function live(...steps: readonly (readonly Fact[])[]): { call: LiveCall; types: string[] } {
    const call = new LiveCall({ id, ...nobody }, 'boot', [], null);
    return { call, types: steps.flatMap((facts) => call.apply(facts).changes.map(({ type }) => type)) };
  }

  it('is corrected by the log, which is published once', () => {
    const { call, types } = live([...own, ...untilJoined], guesses(7_000), log);
    expect(types.slice(-2)).toEqual(['call.ended', 'call.updated']);
    expect(call.document).toMatchObject({ estimated: false, endedAt: record(id, [...own, ...log]).endedAt });
    expect(call.apply(log)).toEqual({ news: [], changes: [] });
  });

  it('is no longer called an estimate though it was right', () => {
    const { call, types } = live([...own, ...untilJoined], guesses(3), log);
    expect(types.slice(-2)).toEqual(['call.ended', 'call.updated']);
    expect(call.document?.estimated).toBe(false);
  });

  it('changes nothing when it comes after the log', () => {
    const { call, types } = live([...own, ...untilJoined], log, guesses(7_000));
    expect(types.filter((type) => type === 'call.ended' || type === 'call.updated')).toEqual(['call.ended']);
    expect(call.document?.estimated).toBe(false);
  });
});

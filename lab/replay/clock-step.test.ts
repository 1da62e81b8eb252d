import { describe, expect, it } from 'vitest';
import type { StreamEntry } from '../../src/asterisk/raw-stream/stream-entry.js';
import type { Call } from '../../src/calls/domain/call.js';
import { readFixtures } from './fixture.js';
import { replay } from './replay.js';
import { moved, retimed } from './retimed.js';

/** As a time service does that finds the clock late. */
const STEP_MS = 90_000;

/** A frame of a switch whose clock was set back: nothing else of the stream has its times from there. */
function setBack(entry: StreamEntry, after: number): StreamEntry {
  if (entry.kind !== 'frame') return entry;
  // Channels that are there keep the time at which they were made.
  const isOld = (at: number, name: string): boolean => name === 'creationtime' && at < after;
  const back = (at: number, name: string): number => (isOld(at, name) ? at : at - STEP_MS);
  return { ...entry, text: retimed(entry.text, 'timestamp|creationtime', back) };
}

/** What does not depend on the clock. */
function gist({ id, direction, from, to, status, outcome, outcomeReason, ...call }: Call): unknown {
  const roles = call.participants.map(({ device, role }) => [device, role]);
  const came = { outcome, outcomeReason, isAnswered: call.answeredAt !== null, roles, by: call.hangup?.by };
  return { id, direction, from, to, status, ...came };
}

describe('a switch whose clock is set forward during a call', async () => {
  const fixtures = await readFixtures();

  it.each(fixtures)('$name: is answered as it was, and no time is absurd', async ({ entries, expected }) => {
    const whole = expected.map(({ record }) => gist(record));
    const longest = Math.max(...expected.map(({ record }) => record.durationSeconds)) + STEP_MS / 1_000 + 1;
    for (let n = 1; n < entries.length; n++) {
      const where = `from entry ${n} on`;
      const { calls } = await replay(entries.map((entry, i) => (i < n ? entry : moved(entry, STEP_MS))));
      expect(
        calls.map(({ record }) => gist(record)),
        where,
      ).toEqual(whole);
      for (const { record } of calls) {
        const at = (time: string | null): number => (time === null ? 0 : Date.parse(time));
        expect(at(record.endedAt), where).toBeGreaterThanOrEqual(at(record.startedAt));
        expect(at(record.endedAt), where).toBeGreaterThanOrEqual(at(record.answeredAt));
        const shares = record.participants.map(({ talkSeconds }) => talkSeconds);
        for (const seconds of [record.talkSeconds, record.waitSeconds, record.durationSeconds, ...shares]) {
          expect(seconds, where).toBeGreaterThanOrEqual(0);
          expect(seconds, where).toBeLessThanOrEqual(longest);
        }
      }
    }
  });
});

describe('a switch whose clock is set back during a call', async () => {
  const fixtures = await readFixtures();

  it.each(fixtures)('$name: is the call that it was, and lasts as long', async ({ entries, expected }) => {
    const lasting = ({ talkSeconds, waitSeconds, durationSeconds, participants }: Call): number[] => [
      talkSeconds,
      waitSeconds,
      durationSeconds,
      ...participants.map((one) => one.talkSeconds),
    ];
    const first = entries.findIndex(({ kind }) => kind === 'frame');
    for (let n = first + 1; n < entries.length; n++) {
      const where = `from entry ${n} on`;
      const after = entries[n]?.at ?? 0;
      const { calls } = await replay(entries.map((entry, i) => (i < n ? entry : setBack(entry, after))));
      expect(
        calls.map(({ record }) => gist(record)),
        where,
      ).toEqual(expected.map(({ record }) => gist(record)));
      for (const [i, { record }] of calls.entries()) {
        const was = lasting(expected[i]?.record as Call);
        for (const [place, seconds] of lasting(record).entries())
          expect(Math.abs(seconds - (was[place] ?? NaN)), where).toBeLessThanOrEqual(1);
      }
    }
  });
});

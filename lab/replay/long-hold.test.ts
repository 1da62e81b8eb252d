import { describe, expect, it } from 'vitest';
import { parseFrame } from '../../src/asterisk/ari-frame.js';
import type { StreamEntry } from '../../src/asterisk/raw-stream/stream-entry.js';
import type { Call } from '../../src/calls/domain/call.js';
import type { Told } from '../../src/calls/ledger/told.js';
import { expectedOf, readFixtures } from './fixture.js';
import { observedTold, play } from './observed-stream.js';
import { replay } from './replay.js';
import { moved, toldLater } from './retimed.js';

// Holds of seconds, each of which is stretched by more than an hour: all that comes after its beginning comes so much later.

const LONGER_SECONDS = 3_700;
const LONGER_MS = LONGER_SECONDS * 1_000;

/** The record of a call whose hold began at that moment and was stretched: the hold is part of the talk. */
function stretched(record: Call, heldAt: number): Call {
  const text = JSON.stringify(record).replaceAll(/"(\d{4}-\d\d-\d\dT[\d:.]+Z)"/g, (whole, told: string) => {
    const at = Date.parse(told);
    return at > heldAt ? `"${new Date(at + LONGER_MS).toISOString()}"` : whole;
  });
  const { participants, talkSeconds, durationSeconds, ...rest } = JSON.parse(text) as Call;
  return {
    ...rest,
    participants: participants.map((one) => ({ ...one, talkSeconds: one.talkSeconds + LONGER_SECONDS })),
    talkSeconds: talkSeconds + LONGER_SECONDS,
    durationSeconds: durationSeconds + LONGER_SECONDS,
  };
}

/** Indexes of those that satisfy. */
const whereIs = <T>(all: readonly T[], isSo: (one: T) => boolean): number[] =>
  all.flatMap((one, i) => (isSo(one) ? [i] : []));
const tellsHold = ({ facts }: Pick<Told, 'facts'>): boolean => facts.some(({ kind }) => kind === 'held');

describe('a hold of more than an hour', () => {
  it('is part of the talk, by the API and by a phone', async () => {
    const fixture = (await readFixtures()).find(({ name }) => name === 'hold-by-the-api-and-by-a-phone');
    const { entries, expected } = fixture ?? { entries: [], expected: [] };
    const holds = whereIs(entries, (entry: StreamEntry) =>
      entry.kind === 'told'
        ? tellsHold(entry.told)
        : entry.kind === 'frame' && parseFrame(entry.text)?.type === 'ChannelHold',
    );
    expect(holds).toHaveLength(2);
    for (const hold of holds) {
      const { calls } = await replay(entries.map((entry, i) => (i <= hold ? entry : moved(entry, LONGER_MS))));
      const heldAt = entries[hold]?.at ?? NaN;
      expect(expectedOf(calls)).toEqual(
        expected.map(({ record, events }) => ({ record: stretched(record, heldAt), events })),
      );
    }
  });

  it.each(['hold.16', 'hold.22'])('is part of the talk of an observed call: %s', async (name) => {
    const told = observedTold(name);
    const before = await play(told);
    const holds = whereIs(told, tellsHold);
    expect(holds).toHaveLength(2);
    for (const hold of holds) {
      const { calls, events } = await play(told.map((one, i) => (i <= hold ? one : toldLater(one, LONGER_MS))));
      const heldAt = told[hold]?.receivedAt ?? NaN;
      expect(calls.map((call) => ({ ...call, id: '' }))).toEqual(
        before.calls.map((call) => ({ ...stretched(call, heldAt), id: '' })),
      );
      expect([...events.values()].flat().map(({ type }) => type)).toEqual(
        [...before.events.values()].flat().map(({ type }) => type),
      );
    }
  });
});

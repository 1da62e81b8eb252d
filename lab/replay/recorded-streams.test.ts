import { describe, expect, it } from 'vitest';
import { parseFrame, type AriFrame } from '../../src/asterisk/ari-frame.js';
import type { StreamEntry } from '../../src/asterisk/raw-stream/stream-entry.js';
import type { Call } from '../../src/calls/domain/call.js';
import { expectedOf, readFixtures, type Fixture } from './fixture.js';
import { replay } from './replay.js';

const fixtures = await readFixtures();

describe('recorded streams', () => {
  it('are there: incoming calls and click-to-calls', () => {
    const directions = fixtures.flatMap(({ expected }) => expected.map(({ record }) => record.direction));
    expect(directions.filter((direction) => direction === 'inbound').length).toBeGreaterThanOrEqual(10);
    expect(directions.filter((direction) => direction === 'outbound').length).toBeGreaterThanOrEqual(10);
  });

  it.each(fixtures)('$name folds to its record', async ({ entries, expected }) => {
    const replayed = await replay(entries);
    expect(expectedOf(replayed.calls)).toEqual(expected);
    expect(replayed).toMatchObject({ badFrames: 0, unassigned: 0, unrouted: 0, missed: 0 });
  });
});

/** What the switch sent, but for frames that are left out; then, 5 s after the end, a look at a switch that has nothing. */
function cut(entries: readonly StreamEntry[], isLost: (frame: AriFrame) => boolean): StreamEntry[] {
  const kept = entries.filter((entry) => entry.kind !== 'frame' || !isLost(frameOf(entry)));
  const { at, node, boot, app } = entries.at(-1) as StreamEntry;
  const takenAt = at + 5_000;
  const opened = entries.find(({ kind }) => kind === 'opened') as StreamEntry;
  return [
    ...kept,
    { ...opened, at },
    { at, node, boot, app, kind: 'snapshot', takenAt, aliveAt: takenAt, channels: [], bridges: [] },
  ];
}

function frameOf({ text }: Extract<StreamEntry, { kind: 'frame' }>): AriFrame {
  const frame = parseFrame(text);
  if (frame === null) throw new Error(`no event: ${text}`);
  return frame;
}

async function recordOf(entries: readonly StreamEntry[]): Promise<Call> {
  const { calls } = await replay(entries);
  if (calls.length !== 1) throw new Error(`the stream holds ${calls.length} calls`);
  return (calls[0] as (typeof calls)[number]).record;
}

/** What people see of a call at its end, but for its times. */
function essence({ status, outcome, outcomeReason, talkSeconds, waitSeconds, estimated }: Call): unknown {
  return { status, outcome, outcomeReason, talkSeconds, waitSeconds, estimated };
}

/** How far apart the times of two records are, ms; infinite where only one has a time. */
function timesApart(one: Call, other: Call): number {
  const fields = ['startedAt', 'ringingAt', 'answeredAt', 'endedAt'] as const;
  const apart = fields.map((field) => {
    const [a, b] = [one[field], other[field]];
    if (a === null || b === null) return a === b ? 0 : Infinity;
    return Math.abs(Date.parse(a) - Date.parse(b));
  });
  return Math.max(...apart);
}

describe('a recorded stream in which the end of channels is never told', () => {
  /** Of these only the SIP status told the reason, and that comes with the end alone. */
  const told = fixtures.filter(({ name }) => !/480-temporarily-unavailable|nobody-listens/.test(name));

  it.each(told)('$name gives the same record once the switch is asked', async ({ entries }) => {
    const whole = await recordOf(entries);
    const record = await recordOf(cut(entries, ({ type }) => type === 'ChannelDestroyed'));
    expect(essence(record)).toEqual(essence(whole));
    expect(record.hangup?.by).toBe(whole.hangup?.by);
    expect(timesApart(record, whole)).toBeLessThan(1_000);
  });
});

describe('a recorded stream whose cause is spread over events', () => {
  const find = (name: string): Fixture => {
    const found = fixtures.find((fixture) => fixture.name === name);
    if (found === undefined) throw new Error(`there is no fixture ${name}`);
    return found;
  };
  const busy = find('incoming-the-agents-phone-rings-and-answers-486-busy-here').entries;
  const answered = find('click-to-call-the-customer-answers-and-hangs-up').entries;
  const framesOf = (entries: readonly StreamEntry[]): AriFrame[] =>
    entries.flatMap((entry) => (entry.kind === 'frame' ? [frameOf(entry)] : []));

  it('gives a caller who hung up the cause of an earlier request where the end says 0', async () => {
    const frames = framesOf(busy);
    const caller = frames.find(({ type }) => type === 'StasisStart')?.channel?.id;
    const destroyed = frames.find(({ type, channel }) => type === 'ChannelDestroyed' && channel?.id === caller);
    expect(destroyed?.cause).toBe(0);
    const { hangup, legs } = await recordOf(busy);
    expect(hangup).toMatchObject({ by: 'remote', q850: 16 });
    expect(legs.map(({ side, q850, sip }) => ({ side, q850, sip }))).toEqual([
      { side: 'remote', q850: 16, sip: null },
      { side: 'agent', q850: 17, sip: 486 },
    ]);
  });

  it('does not take the 32 of a request for the cause of a leg that was sent away', async () => {
    expect(framesOf(answered).some(({ type, cause }) => type === 'ChannelHangupRequest' && cause === 32)).toBe(true);
    expect((await recordOf(answered)).legs.map(({ q850 }) => q850)).toEqual([16, 16]);
  });

  it('knows the cause of each leg when only requests told it', async () => {
    const record = await recordOf(cut(busy, ({ type }) => type === 'ChannelDestroyed'));
    expect(record.legs.map(({ q850 }) => q850)).toEqual([16, 17]);
  });
});

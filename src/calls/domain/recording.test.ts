import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fact, RecordingAction } from './fact.js';
import { gatherRecordings, recordingView, recordingWishes, type RecordingWish } from './recording.js';

const callId = '01936c7e-8b2a-7000-8000-000000000001';
const id = '01936c7e-8b2a-7000-8000-00000000000a';
const start = Date.parse('2026-03-01T10:00:00.000Z');

function fact(kind: Fact['kind'], after: number, data: unknown = {}, key = id): Fact {
  return { leg: callId, kind, key, at: start + after, source: 'switch', data } as Fact;
}

const planned = fact('recording-planned', 0);
const started = fact('recording-started', 50);
const finished = fact('recording-finished', 9_000, { seconds: 8 });
const stored = fact('recording-stored', 9_500, { ms: 8_640 });

describe('what is wanted of recordings', () => {
  it.each<[string, boolean, RecordingAction[], RecordingWish[]]>([
    ['nothing on a line that does not record', false, [], []],
    ['one on a line that does', true, [], ['on']],
    ['one when it is asked for', false, ['start'], ['on']],
    ['another after a start', true, ['start'], ['off', 'on']],
    ['none after a stop', true, ['stop'], ['off']],
    ['a second after stop and start', true, ['stop', 'start'], ['off', 'on']],
    ['a pause', true, ['pause'], ['paused']],
    ['going on after a pause', true, ['pause', 'resume'], ['on']],
    ['an end while it is paused', true, ['pause', 'stop'], ['off']],
    ['no way back after a stop but a start', true, ['stop', 'pause', 'resume'], ['off']],
    ['nothing to pause', false, ['pause', 'resume', 'stop'], []],
  ])('%s', (_, isRecorded, actions, wishes) => {
    expect(
      recordingWishes(
        isRecorded,
        actions.map((action) => ({ action })),
      ),
    ).toEqual(wishes);
  });

  it('is on for the last at most', () => {
    const actions = fc.array(fc.constantFrom<RecordingAction>('start', 'stop', 'pause', 'resume'), { maxLength: 12 });
    fc.assert(
      fc.property(fc.boolean(), actions, (isRecorded, asked) => {
        const wishes = recordingWishes(
          isRecorded,
          asked.map((action) => ({ action })),
        );
        expect(wishes.slice(0, -1).every((wish) => wish === 'off')).toBe(true);
        expect(wishes.length).toBe((isRecorded ? 1 : 0) + asked.filter((action) => action === 'start').length);
      }),
    );
  });
});

describe('a recording in the record', () => {
  const shown = (...facts: Fact[]) => gatherRecordings(facts).map(recordingView)[0];

  it('is not there before it has begun', () => {
    expect(shown(planned)).toBeNull();
    expect(gatherRecordings([started])).toEqual([]);
  });

  it.each<[string, Fact[], object]>([
    ['it is made', [], { state: 'recording', durationSeconds: null }],
    ['it is paused', [fact('recording-paused', 900, {}, `${id} 1`)], { state: 'paused' }],
    [
      'it goes on',
      [fact('recording-resumed', 990, {}, `${id} 2`), fact('recording-paused', 900, {}, `${id} 1`)],
      { state: 'recording' },
    ],
    ['it is over', [finished], { state: 'finished', durationSeconds: 8 }],
    ['it was found to be over', [fact('recording-finished', 9_000, { seconds: null })], { durationSeconds: null }],
    ['it can be heard', [finished, stored], { state: 'ready', durationSeconds: 9 }],
    [
      'it is lost',
      [finished, fact('recording-failed', 9_900, { reason: 'It is gone.' })],
      { state: 'failed', durationSeconds: null, failure: 'It is gone.' },
    ],
    [
      'it was erased',
      [finished, stored, fact('recording-erased', 20_000)],
      { state: 'erased', durationSeconds: null, failure: null },
    ],
    [
      'it was had after all',
      [finished, fact('recording-failed', 9_400, { reason: 'It is gone.' }), stored],
      { state: 'ready', failure: null },
    ],
  ])('%s', (_, facts, expected) => {
    expect(shown(planned, started, ...facts)).toMatchObject({ id, startedAt: '2026-03-01T10:00:00.050Z', ...expected });
  });

  it('that could not be begun has no start', () => {
    const failed = fact('recording-failed', 100, { reason: 'The PBX refused.' });
    expect(shown(planned, failed)).toMatchObject({ state: 'failed', startedAt: null, failure: 'The PBX refused.' });
  });

  it('is the same in whatever order its facts come', () => {
    const all = [
      planned,
      started,
      fact('recording-paused', 900, {}, `${id} 1`),
      fact('recording-resumed', 990, {}, `${id} 2`),
      finished,
      stored,
    ];
    const expected = gatherRecordings(all);
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (facts) => {
        expect(gatherRecordings(facts)).toEqual(expected);
      }),
    );
  });
});

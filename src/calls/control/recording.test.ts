import { describe, expect, it } from 'vitest';
import type { CallState } from '../domain/call-state.js';
import type { RecordingAction } from '../domain/fact.js';
import type { Plan } from '../domain/plan.js';
import type { RecordingState } from '../domain/recording.js';
import type { Talk } from '../domain/talk.js';
import { DecisionBuilder } from './decision.js';
import { factOfRecording } from './recording-commands.js';
import { recordingIdOf, recordingName, recordingOfName } from './recording-ids.js';
import { decideRecording, refusalOf } from './recording.js';

const callId = '01936c7e-8b2a-7000-8000-000000000001';
const id = recordingIdOf(callId, 0);
const recording = recordingName(callId, id);
const now = 1_000_000;
const talk = { until: null } as Talk;
const planOf = (record: boolean | undefined) => ({ limitSeconds: 7200, record }) as Plan;
const stateOf = (asks: readonly RecordingAction[], recordings: readonly RecordingState[]) =>
  ({ legs: [], recordingAsks: asks.map((action) => ({ action })), recordings }) as unknown as CallState;
const known = (changes: Partial<RecordingState> = {}): RecordingState => ({
  id,
  plannedAt: now,
  startedAt: null,
  isPaused: false,
  finished: null,
  failure: null,
  storedMs: null,
  isErased: false,
  ...changes,
});

/** What is written down and commanded, in short. */
function decided(
  record: boolean | undefined,
  asks: readonly RecordingAction[],
  recordings: readonly RecordingState[],
  talking: Talk | null = talk,
) {
  const state = stateOf(asks, recordings);
  const builder = new DecisionBuilder(state, now);
  decideRecording(builder, callId, planOf(record), state, talking ?? undefined);
  const { record: facts, chains } = builder.done();
  return [...facts.map(({ kind, key }) => `${kind} ${key}`), ...chains.flat().map((command) => command.do)];
}

describe('what is to be done about recordings', () => {
  it.each<[string, ReturnType<typeof decided>, string[]]>([
    ['nothing while nobody wants it', decided(false, [], []), []],
    ['nothing for a plan of an earlier version', decided(undefined, [], []), []],
    ['nothing before both talk', decided(true, [], [], null), []],
    ['nothing after they have talked', decided(true, [], [], { until: now } as Talk), []],
    ['first it is written down', decided(true, [], []), [`recording-planned ${id}`]],
    ['then it is begun', decided(true, [], [known()]), ['start-recording']],
    ['what goes on goes on', decided(true, [], [known({ startedAt: now })]), []],
    ['one that is paused before it began is not begun', decided(true, ['pause'], []), []],
    ['nor when it was written down', decided(true, ['pause'], [known()]), []],
    ['a pause', decided(true, ['pause'], [known({ startedAt: now })]), ['pause-recording']],
    ['paused once is enough', decided(true, ['pause'], [known({ startedAt: now, isPaused: true })]), []],
    [
      'it goes on',
      decided(true, ['pause', 'resume'], [known({ startedAt: now, isPaused: true })]),
      ['resume-recording'],
    ],
    ['it ends', decided(true, ['stop'], [known({ startedAt: now })]), ['stop-recording']],
    ['a start on its way is not overtaken by its end', decided(true, ['stop'], [known()]), []],
    ['what is over stays so', decided(true, [], [known({ startedAt: now, finished: { at: now, seconds: 1 } })]), []],
    ['what failed is not tried again', decided(true, [], [known({ failure: 'refused' })]), []],
    [
      'a second one',
      decided(true, ['stop', 'start'], [known({ startedAt: now, finished: { at: now, seconds: 1 } })]),
      [`recording-planned ${recordingIdOf(callId, 1)}`],
    ],
  ])('%s', (_, found, expected) => {
    expect(found).toEqual(expected);
  });

  it('is bounded by the call’s limit, with a margin', () => {
    const state = stateOf([], [known()]);
    const builder = new DecisionBuilder(state, now);
    decideRecording(builder, callId, planOf(true), state, talk);
    expect(builder.done().chains).toEqual([
      [{ key: `record:${id}`, do: 'start-recording', recording, room: `rl-${callId}`, limitSeconds: 7260 }],
    ]);
  });
});

describe('a recording’s id and name', () => {
  it('are the same whoever decides again, and differ for each recording', () => {
    expect(recordingIdOf(callId, 0)).toBe(id);
    expect(recordingIdOf(callId, 1)).not.toBe(id);
    expect(id).toMatch(/^01936c7e-8b2a-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('lead back to the call', () => {
    expect(recordingOfName(recording)).toEqual({ callId, recordingId: id });
    for (const name of ['', `rl-${callId}`, `rl-${callId}-${id}x`, `x${recording}`, `rl-${callId}-../${id}`])
      expect(recordingOfName(name)).toBeNull();
  });
});

describe('what the answer to a command tells', () => {
  const start = { key: 'k', do: 'start-recording', recording, room: 'r', limitSeconds: 1 } as const;
  const pause = { key: 'k', do: 'pause-recording', recording } as const;
  it.each([
    [start, { kind: 'done' }, { kind: 'recording-started', key: id, source: 'reconcile' }],
    [start, { kind: 'unknown', text: 'late' }, null],
    [start, { kind: 'gone' }, { kind: 'recording-failed', data: { reason: expect.stringContaining('had left') } }],
    [
      start,
      { kind: 'refused', text: '500 no' },
      { kind: 'recording-failed', key: id, data: { reason: 'The PBX refused to record: 500 no.' } },
    ],
    [pause, { kind: 'done' }, { kind: 'recording-paused', key: `${id} 3` }],
    [pause, { kind: 'gone' }, null],
    [{ ...pause, do: 'resume-recording' }, { kind: 'done' }, { kind: 'recording-resumed', key: `${id} 3` }],
    [{ ...pause, do: 'stop-recording' }, { kind: 'done' }, null],
  ] as const)('%j %j', (command, result, expected) => {
    const told = factOfRecording(command, result, 3);
    if (expected === null) expect(told).toBeNull();
    else expect(told).toMatchObject(expected);
  });
});

describe('an action is refused', () => {
  const going = known({ startedAt: now });
  const over = known({ startedAt: now, finished: { at: now, seconds: 1 } });
  it.each<[RecordingAction, boolean, RecordingAction[], RecordingState[], string | null]>([
    ['start', false, [], [], null],
    ['start', true, [], [], 'recorded already'],
    ['start', true, ['pause'], [going], 'paused'],
    ['start', true, ['stop'], [going], null],
    ['start', true, [], [over], null],
    ['stop', true, [], [going], null],
    ['stop', false, [], [], 'not recorded'],
    ['stop', true, [], [over], 'not recorded'],
    ['pause', true, [], [going], null],
    ['pause', true, [], [], null],
    ['pause', true, ['pause'], [going], 'paused already'],
    ['pause', false, [], [], 'not recorded'],
    ['resume', true, ['pause'], [going], null],
    ['resume', true, [], [going], 'not paused'],
    ['resume', true, ['pause', 'stop'], [going], 'not recorded'],
  ])('%s, line %s, after %j', (action, record, asks, recordings, expected) => {
    const refusal = refusalOf(action, callId, planOf(record), stateOf(asks, recordings));
    if (expected === null) expect(refusal).toBeNull();
    else expect(refusal).toContain(expected);
  });
});

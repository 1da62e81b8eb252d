import type { CallRecording } from './call.js';
import type { Fact, RecordingAction } from './fact.js';

/** One recording of a call, as its facts tell it. */
export type RecordingState = {
  readonly id: string;
  readonly plannedAt: number;
  readonly startedAt: number | null;
  readonly isPaused: boolean;
  readonly finished: { readonly at: number; readonly seconds: number | null } | null;
  readonly failure: string | null;
  /** Length of what was stored, ms. */
  readonly storedMs: number | null;
  readonly isErased: boolean;
};

/** What is wanted of a recording. */
export type RecordingWish = 'on' | 'paused' | 'off';

/** Nothing more is written to it. */
export function isRecordingOver(recording: RecordingState): boolean {
  const { finished, failure, storedMs, isErased } = recording;
  return finished !== null || failure !== null || storedMs !== null || isErased;
}

/**
 * Recordings in the order in which they were planned.
 * @param facts Those that concern the whole call.
 */
export function gatherRecordings(facts: readonly Fact[]): RecordingState[] {
  const told = facts.filter(({ kind }) => kind.startsWith('recording-') && kind !== 'recording-asked');
  return told
    .filter(({ kind }) => kind === 'recording-planned')
    .map(({ key, at }) => gather(key, at, told))
    .toSorted((a, b) => a.plannedAt - b.plannedAt || (a.id < b.id ? -1 : 1));
}

function gather(id: string, plannedAt: number, told: readonly Fact[]): RecordingState {
  const find = <K extends Fact['kind']>(kind: K): Extract<Fact, { kind: K }> | undefined =>
    told.find((fact): fact is Extract<Fact, { kind: K }> => fact.kind === kind && fact.key === id);
  const turns = told.filter(
    ({ kind, key }) => (kind === 'recording-paused' || kind === 'recording-resumed') && key.startsWith(`${id} `),
  );
  const lastTurn = turns.toSorted((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1)).at(-1);
  const finished = find('recording-finished');
  return {
    id,
    plannedAt,
    startedAt: find('recording-started')?.at ?? null,
    isPaused: lastTurn?.kind === 'recording-paused',
    finished: finished === undefined ? null : { at: finished.at, seconds: finished.data.seconds },
    failure: find('recording-failed')?.data.reason ?? null,
    storedMs: find('recording-stored')?.data.ms ?? null,
    isErased: find('recording-erased') !== undefined,
  };
}

/**
 * What is wanted, one wish for each recording that was asked for, in order: the line's own, then one for each `start`.
 * Of several only the last can still be on.
 */
export function recordingWishes(
  isRecordedLine: boolean,
  asks: readonly { readonly action: RecordingAction }[],
): readonly RecordingWish[] {
  const wishes: RecordingWish[] = isRecordedLine ? ['on'] : [];
  for (const { action } of asks) {
    const last = wishes.pop();
    if (action === 'start') wishes.push(...(last === undefined ? [] : (['off'] as const)), 'on');
    else if (last !== undefined) wishes.push(last === 'off' ? 'off' : wishAfter[action]);
  }
  return wishes;
}

const wishAfter = { stop: 'off', pause: 'paused', resume: 'on' } as const;

/** A recording as the call's record shows it; null while it has not begun. */
export function recordingView(recording: RecordingState): CallRecording | null {
  const { id, startedAt, finished, storedMs } = recording;
  if (startedAt === null && !isRecordingOver(recording)) return null;
  const state = shownState(recording);
  const seconds = storedMs === null ? (finished?.seconds ?? null) : Math.round(storedMs / 1000);
  return {
    id,
    state,
    startedAt: startedAt === null ? null : new Date(startedAt).toISOString(),
    durationSeconds: state === 'erased' || state === 'failed' ? null : seconds,
    failure: state === 'failed' ? recording.failure : null,
  };
}

function shownState({ isErased, storedMs, failure, finished, isPaused }: RecordingState): CallRecording['state'] {
  if (isErased) return 'erased';
  if (storedMs !== null) return 'ready';
  if (failure !== null) return 'failed';
  if (finished !== null) return 'finished';
  return isPaused ? 'paused' : 'recording';
}

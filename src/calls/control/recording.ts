import type { CallState } from '../domain/call-state.js';
import type { RecordingAction } from '../domain/fact.js';
import type { Plan } from '../domain/plan.js';
import { isRecordingOver, recordingWishes } from '../domain/recording.js';
import type { Talk } from '../domain/talk.js';
import { LIMIT_MARGIN_SECONDS, type DecisionBuilder } from './decision.js';
import { roomOf } from './legs.js';
import { recordingIdOf, recordingName } from './recording-ids.js';

/**
 * Records the room as the line and the API wish, from the moment both parties talk. When the last of them leaves, the
 * switch ends the recording by itself, whether we live or not.
 */
export function decideRecording(
  decision: DecisionBuilder,
  callId: string,
  { record, limitSeconds }: Plan,
  state: CallState,
  talk: Talk | undefined,
): void {
  if (talk?.until !== null) return;
  for (const [place, wish] of recordingWishes(record ?? false, state.recordingAsks).entries()) {
    const id = recordingIdOf(callId, place);
    const recording = recordingName(callId, id);
    const known = state.recordings.find((candidate) => candidate.id === id);
    const turn = state.recordingAsks.length;
    if (known === undefined) {
      if (wish === 'on') decision.record({ leg: callId, kind: 'recording-planned', key: id, data: {} });
    } else if (isRecordingOver(known)) {
      continue;
    } else if (known.startedAt === null) {
      // One that is on its way although it is no longer wanted is stopped, or paused, when its start is told.
      if (wish === 'on')
        decision.chain({
          key: `record:${id}`,
          do: 'start-recording',
          recording,
          room: roomOf(callId),
          limitSeconds: limitSeconds + LIMIT_MARGIN_SECONDS,
        });
    } else if (wish === 'off') {
      decision.chain({ key: `stop:${id}`, do: 'stop-recording', recording });
    } else if (wish === 'paused' && !known.isPaused) {
      decision.chain({ key: `pause:${id}:${turn}`, do: 'pause-recording', recording });
    } else if (wish === 'on' && known.isPaused) {
      decision.chain({ key: `resume:${id}:${turn}`, do: 'resume-recording', recording });
    }
  }
}

/** Why an action makes no sense at this stage of a call, in words; null when it does. */
export function refusalOf(
  action: RecordingAction,
  callId: string,
  { record }: Plan,
  { recordingAsks, recordings }: CallState,
): string | null {
  const wishes = recordingWishes(record ?? false, recordingAsks);
  const last = recordings.find(({ id }) => id === recordingIdOf(callId, wishes.length - 1));
  const wish = last !== undefined && isRecordingOver(last) ? 'off' : (wishes.at(-1) ?? 'off');
  if (action === 'start') {
    if (wish === 'off') return null;
    return wish === 'on' ? 'The call is recorded already.' : 'The recording is paused; resume it.';
  }
  if (wish === 'off') return 'The call is not recorded.';
  if (action === 'pause' && wish === 'paused') return 'The recording is paused already.';
  if (action === 'resume' && wish === 'on') return 'The recording is not paused.';
  return null;
}

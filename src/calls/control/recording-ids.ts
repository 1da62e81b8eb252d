import { derivedId } from '../../common/ids.js';
import { OUR_PREFIX } from './legs.js';

/**
 * The id of a call's recording. Whoever decides again comes to the same id, so that nothing is recorded twice.
 * @param place Of the recording among those of the call, from 0.
 */
export function recordingIdOf(callId: string, place: number): string {
  return derivedId(callId, `${callId} recording ${place}`);
}

/** What the switch calls a recording: never used again, and it leads back to the call. */
export function recordingName(callId: string, recordingId: string): string {
  return `${OUR_PREFIX}${callId}-${recordingId}`;
}

const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const pattern = new RegExp(`^${OUR_PREFIX}(${uuid})-(${uuid})$`);

/** The call and the recording that a name in the switch stands for; null for what is not ours. */
export function recordingOfName(name: string): { readonly callId: string; readonly recordingId: string } | null {
  const [, callId, recordingId] = pattern.exec(name) ?? [];
  return callId === undefined || recordingId === undefined ? null : { callId, recordingId };
}

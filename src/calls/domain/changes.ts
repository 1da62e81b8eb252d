import type { Call } from './call.js';
import type { CallEventType } from './call-event.js';

/** A difference of times under this is the same moment told by two sources, not a change, ms. */
const SAME_MOMENT_MS = 1000;

/**
 * Shown only with the next change while the call is open: who else rings, which leg came or went, by which line a call went out,
 * and who the other party is is not news by itself.
 */
const detailsWhileOpen = new Set<keyof Call>([
  'line',
  'contact',
  'owner',
  'legs',
  'participants',
  'talkSeconds',
  'sipCallIds',
  'linkedId',
  'estimated',
]);

/**
 * What is published when a call goes from `before` to `after`: nothing when no visible change was made; else each new
 * milestone in order, or `call.updated` where a change has no type of its own, or came after a later milestone.
 */
export function changesBetween(before: Call | null, after: Call): readonly CallEventType[] {
  if (before === null) return ['call.started', ...milestones(null, after)];
  // A leg that is heard of late does not open the record again: it shows once that leg is over too.
  if (before.endedAt !== null && after.endedAt === null) return [];
  const reached = milestones(before, after);
  if (reached.length > 0) return reached;
  return differs(before, after) ? ['call.updated'] : [];
}

function milestones(before: Call | null, after: Call): CallEventType[] {
  const reached: CallEventType[] = [];
  const isNew = (field: 'ringingAt' | 'answeredAt' | 'endedAt'): boolean =>
    after[field] !== null && (before?.[field] ?? null) === null;
  const told = (...fields: ('answeredAt' | 'endedAt')[]): boolean =>
    fields.some((field) => (before?.[field] ?? null) !== null);
  if (isNew('ringingAt') && !told('answeredAt', 'endedAt')) reached.push('call.ringing');
  if (isNew('answeredAt') && !told('endedAt')) reached.push('call.answered');
  if (transfersIn(after) > (before === null ? 0 : transfersIn(before))) reached.push('call.transferred');
  if (after.status === 'held' && before?.status !== 'held') reached.push('call.held');
  if (before?.status === 'held' && after.status === 'answered') reached.push('call.resumed');
  if (isNew('endedAt') && after.outcome === 'voicemail') reached.push('call.voicemail');
  if (isNew('endedAt')) reached.push('call.ended');
  const wasReady = new Set(before?.recordings.filter(({ state }) => state === 'ready').map(({ id }) => id));
  if (after.recordings.some(({ id, state }) => state === 'ready' && !wasReady.has(id)))
    reached.push('call.recording.ready');
  return reached;
}

/** How often the other party went from one to another. */
function transfersIn({ participants }: Call): number {
  return participants.filter(({ role }) => role === 'transferred').length;
}

function differs(before: Call, after: Call): boolean {
  const open = before.endedAt === null && after.endedAt === null;
  return (Object.keys(after) as (keyof Call)[]).some((field) => {
    if (field === 'version') return false;
    if (open && detailsWhileOpen.has(field)) return field === 'participants' && isSought(before, after);
    return !same(field, before[field], after[field]);
  });
}

/** Somebody is to be rung for a transfer of a call that was on hold already: no milestone tells of him. */
function isSought(before: Call, after: Call): boolean {
  return after.control === 'driven' && after.participants.length > before.participants.length;
}

const instantPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function same(field: string, a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a === 'string' && typeof b === 'string') {
    return instantPattern.test(a) && instantPattern.test(b) && Math.abs(Date.parse(a) - Date.parse(b)) < SAME_MOMENT_MS;
  }
  // Rounding may turn a few ms into a second.
  if (typeof a === 'number' && typeof b === 'number') return field.endsWith('Seconds') && Math.abs(a - b) <= 1;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => same(key, a[key as keyof typeof a], b[key as keyof typeof b]))
  );
}

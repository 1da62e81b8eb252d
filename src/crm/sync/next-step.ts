import type { Call } from '../../calls/domain/call.js';
import type { ConnectionRules } from '../connections/connection-rules.js';
import type { CreatedKind, CrmCapabilities } from '../port/crm-adapter.js';
import type { CrmCall, CrmTask } from '../port/crm-objects.js';
import { fingerprint } from './call-view.js';
import { partyName } from './call-words.js';
import { contactOf, type Links } from './links.js';
import { makeOfUnknown, type UnknownCallerMake } from './unknown-caller.js';

/** Something that is missing in a CRM, and the step that brings it there. */
export type Step =
  | { readonly step: 'findContacts' }
  | { readonly step: 'popScreen'; readonly userIds: readonly string[] }
  | { readonly step: 'createObject'; readonly kind: CreatedKind }
  | { readonly step: 'findCall' }
  | { readonly step: 'openCall' }
  | { readonly step: 'updateCall'; readonly remoteId: string }
  | { readonly step: 'closeCall'; readonly remoteId: string | null }
  | { readonly step: 'removeCall'; readonly remoteId: string }
  | {
      readonly step: 'attachRecording';
      readonly remoteId: string;
      readonly recordingId: string;
      readonly by: 'link' | 'upload';
    }
  | { readonly step: 'addNote'; readonly remoteId: string; readonly text: string }
  | { readonly step: 'createTask'; readonly task: CrmTask }
  | { readonly step: 'closeTask'; readonly taskId: string; readonly text: string };

/** A call as it is now, and what its CRM has of it. */
export type Situation = {
  readonly call: Call;
  /** The same, as the CRM is to be told of it. */
  readonly view: CrmCall;
  readonly links: Links;
  readonly capabilities: CrmCapabilities;
  readonly rules: ConnectionRules;
  /** ISO 3166: whose national numbers the tenant writes. */
  readonly region: string;
  /** CRM users of those who are sought for the call now. */
  readonly sought: readonly string[];
  /** Somebody has talked with that number since. */
  readonly isCalledBack: boolean;
  /** What was to be made of the caller could not be made just now: no screen waits for it. */
  readonly popsFirst: boolean;
  readonly now: Date;
};

/** Nothing is made of what is over for longer, ms: whoever catches up on a year wants its calls, not a year of tasks. */
const FRESH_MS = 24 * 3_600_000;

/** The next step that is missing; null when the CRM has all it is to have. Does not depend on how it came to what it has. */
export function nextStep(situation: Situation): Step | null {
  const { call } = situation;
  return afterLostAnswer(situation) ?? (call.mergedInto === null ? missing(situation) : mergedAway(situation));
}

/** A step that makes something went out, and nobody knows what became of it. */
function afterLostAnswer(situation: Situation): Step | null {
  const { links, capabilities } = situation;
  const { begun, remoteId } = links;
  if ((begun === 'openCall' || begun === 'closeCall') && remoteId === undefined) {
    if (capabilities.idempotency === 'find') return { step: 'findCall' };
    // The same again, though the call may have ended meanwhile: its key is known for this step.
    return begun === 'openCall' ? { step: 'openCall' } : { step: 'closeCall', remoteId: null };
  }
  // Most know it again. Though somebody has called back meanwhile: one that nobody knows of would stay open for ever.
  const task = begun === 'createTask' ? wantedTask({ ...situation, isCalledBack: false }) : null;
  if (task !== null) return { step: 'createTask', task };
  // What was made of the caller is found by the number. A note cannot be found: rather twice than not at all.
  return begun === 'createObject' && capabilities.search ? { step: 'findContacts' } : null;
}

/** Its conversation goes on, or is told, in another call. */
function mergedAway(situation: Situation): Step | null {
  const { links, capabilities, view } = situation;
  const { remoteId, task } = links;
  // Its pop has opened it, and nobody has been told its id.
  if (opensByPop(situation) && links.popped !== undefined) return { step: 'openCall' };
  if (remoteId !== undefined && links.isRemoved !== true) {
    if (capabilities.remove) return { step: 'removeCall', remoteId };
    if (links.isClosed !== true) return { step: 'closeCall', remoteId };
    if (capabilities.updateAfterClose && isNews(situation)) return { step: 'updateCall', remoteId };
  }
  if (task?.isClosed === false) return { step: 'closeTask', taskId: task.id, text: view.summary };
  return null;
}

function missing(situation: Situation): Step | null {
  return (
    contact(situation) ??
    shown(situation) ??
    told(situation) ??
    recording(situation) ??
    note(situation) ??
    newTask(situation) ??
    finishedTask(situation)
  );
}

function contact(situation: Situation): Step | null {
  const { call, view, links, capabilities } = situation;
  if (!capabilities.search || contactOf(links) !== undefined) return null;
  if (call.direction === 'internal' || view.number.digits === '') return null;
  const isWanted = toPop(situation).length > 0 || isLogged(situation) || wantedTask(situation) !== null;
  return isWanted ? { step: 'findContacts' } : null;
}

/** What is made of an unknown caller is made first: some CRMs bind a call, by its pop, to what they have then and never again. */
function shown(situation: Situation): Step | null {
  return (situation.popsFirst ? null : created(situation)) ?? pop(situation) ?? created(situation);
}

/** Whether a step that failed holds up a pop that could do without it. */
export function holdsUpPop({ step }: Step, situation: Situation): boolean {
  return step === 'createObject' && !situation.popsFirst && pop(situation) !== null;
}

function pop(situation: Situation): Step | null {
  const userIds = toPop(situation);
  return userIds.length === 0 ? null : { step: 'popScreen', userIds };
}

/** Whether what shows the call, as long as it has no id, makes it. */
export function opensByPop({ links, capabilities }: Pick<Situation, 'links' | 'capabilities'>): boolean {
  return capabilities.pop === 'opens-call' && links.remoteId === undefined;
}

function toPop({ capabilities, links, sought }: Situation): readonly string[] {
  return capabilities.pop !== false ? sought.filter((id) => links.popped?.includes(id) !== true) : [];
}

function created(situation: Situation): Step | null {
  const { capabilities, links, view } = situation;
  if (!isLogged(situation) || !isFresh(situation) || links.created !== undefined) return null;
  // Whoever is told once, complete, is told of the caller then too.
  if (!capabilities.live && view.endedAt === null) return null;
  const make = unknownMake(situation);
  return isCreated(make) && capabilities.creates.includes(make) ? { step: 'createObject', kind: make } : null;
}

/** What its rules want of a caller whom the CRM does not know. Of one who hides the number nothing can be made. */
function unknownMake({ call, view, links, rules }: Situation): UnknownCallerMake {
  const isUnknown = contactOf(links) === null && call.direction !== 'internal' && view.number.digits !== '';
  return isUnknown ? makeOfUnknown(call, rules) : 'nothing';
}

function isCreated(make: UnknownCallerMake): make is CreatedKind {
  return make !== 'task' && make !== 'nothing';
}

/**
 * The call itself. A CRM that takes it once gets it at its end and not when its recording is there: each that takes recordings
 * takes them for a call that it has, and a call is looked for long before its recording is.
 */
function told(situation: Situation): Step | null {
  const { links, capabilities, view } = situation;
  const { remoteId } = links;
  if (view.status !== 'ended') {
    if (!capabilities.live) return null;
    if (remoteId === undefined) return isLogged(situation) ? { step: 'openCall' } : null;
    return isNews(situation) ? { step: 'updateCall', remoteId } : null;
  }
  if (links.isClosed !== true) {
    // What is there already is closed, whatever the rules say by now.
    return isLogged(situation) || remoteId !== undefined ? { step: 'closeCall', remoteId: remoteId ?? null } : null;
  }
  if (remoteId === undefined || !capabilities.updateAfterClose || !isNews(situation)) return null;
  return { step: 'updateCall', remoteId };
}

function isNews({ view, links, capabilities }: Situation): boolean {
  return links.told !== fingerprint(view, capabilities);
}

function recording({ call, links, capabilities, rules }: Situation): Step | null {
  const { remoteId } = links;
  const by = recordingWay(capabilities, rules);
  if (remoteId === undefined || links.isClosed !== true || by === null) return null;
  const next = call.recordings.find(({ id, state }) => state === 'ready' && links.recordings?.includes(id) !== true);
  return next === undefined ? null : { step: 'attachRecording', remoteId, recordingId: next.id, by };
}

export function recordingWay(
  { recording: able }: CrmCapabilities,
  { recordings: wanted }: ConnectionRules,
): 'link' | 'upload' | null {
  if (wanted === 'none' || able === 'none') return null;
  return able === 'both' ? wanted : able;
}

function note({ call, links, capabilities }: Situation): Step | null {
  const { remoteId } = links;
  if (capabilities.note !== 'beside' || remoteId === undefined || links.isClosed !== true) return null;
  const text = call.note ?? '';
  return text === '' || text === links.note ? null : { step: 'addNote', remoteId, text };
}

function newTask(situation: Situation): Step | null {
  const wanted = situation.links.task === undefined ? wantedTask(situation) : null;
  return wanted === null ? null : { step: 'createTask', task: wanted };
}

function wantedTask(situation: Situation): CrmTask | null {
  const { call, view, capabilities, rules, isCalledBack } = situation;
  if (!capabilities.tasks || view.endedAt === null || view.number.digits === '' || !isFresh(situation)) return null;
  const { task: of, dueMinutes } = rules.missedCalls;
  const dueAt = new Date(view.endedAt.getTime() + dueMinutes * 60_000);
  const who = partyName(call, view.number);
  const person = rules.missedCalls.userId ?? rules.users.defaultUserId;
  if (isMissed(call)) {
    const userId = of === 'owner' ? (contactOf(situation.links)?.ownerId ?? person) : person;
    if (of !== 'none' && userId !== null) {
      return isCalledBack ? null : { subject: `Call back ${who}`, text: view.summary, userId, dueAt };
    }
  }
  const userId = person ?? view.userId;
  if (!isLogged(situation) || unknownMake(situation) !== 'task' || userId === null) return null;
  return { subject: `Find out who this is: ${who}`, text: view.summary, userId, dueAt };
}

/** Whoever missed it has been called back, or has called again and was answered. */
function finishedTask({ call, view, links, capabilities, isCalledBack }: Situation): Step | null {
  if (!capabilities.tasks || links.task?.isClosed !== false || !isMissed(call) || !isCalledBack) return null;
  const text = `Somebody has talked with ${partyName(call, view.number)} since.`;
  return { step: 'closeTask', taskId: links.task.id, text };
}

function isMissed({ direction, outcome, answeredAt, endedAt }: Call): boolean {
  return (
    direction === 'inbound' &&
    endedAt !== null &&
    answeredAt === null &&
    (outcome === 'missed' || outcome === 'voicemail')
  );
}

/** Whether the CRM is to have it, as far as it is known now. */
function isLogged({ call, rules: { log } }: Situation): boolean {
  if (call.direction === 'internal' && !log.internal) return false;
  if (call.outcome === 'blocked') return log.blocked;
  return call.answeredAt !== null || log.unanswered;
}

function isFresh({ view, now }: Situation): boolean {
  return view.endedAt === null || now.getTime() - view.endedAt.getTime() < FRESH_MS;
}

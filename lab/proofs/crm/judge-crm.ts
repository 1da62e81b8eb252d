import { grouped } from '../../grouped.js';
import type { CrmCapabilities } from '../../../src/crm/port/crm-adapter.js';
import type { CrmSimulator, SimulatedCall } from '../../crm/crm-simulator.js';
import type { ToldCall } from './told-call.js';

/** What a CRM holds in the end. */
export type Held = {
  readonly calls: readonly SimulatedCall[];
  readonly tasks: ReturnType<CrmSimulator['tasks']>;
  readonly created: ReturnType<CrmSimulator['created']>;
};

/** What its adapter can do, and what the vendor has no field for. */
export type Able = Pick<
  CrmCapabilities,
  'live' | 'updateAfterClose' | 'recording' | 'note' | 'tasks' | 'remove' | 'creates'
> & { readonly lacks: readonly string[] };

export type CrmFigures = {
  readonly conversations: number;
  /** Conversations of which there is no object, or there are several. */
  readonly missing: number;
  readonly doubled: number;
  /** Calls that became part of another one: what is left of them, where it cannot be removed, and where it could. */
  readonly merged: { readonly calls: number; readonly closed: number; readonly notRemoved: number };
  readonly recordings: { readonly expected: number; readonly attached: number };
  readonly notes: { readonly expected: number; readonly kept: number };
  readonly tasks: { readonly expected: number; readonly made: number; readonly leftOpen: number };
  readonly unknownCallers: { readonly expected: number; readonly made: number };
  /** More than one of what a CRM cannot be asked for after a lost answer. */
  readonly extra: { readonly tasks: number; readonly notes: number; readonly created: number };
  /** What disagrees with what is promised, in words; the first of it. */
  readonly wrong: readonly string[];
};

const MOST_WRONG = 20;
/** Vendors keep whole seconds. */
const START_MS = 1_000;

/** Compares what a CRM holds with what it was to have. */
export function judgeCrm(told: readonly ToldCall[], held: Held, able: Able): CrmFigures {
  const wrong: string[] = [];
  const objects = grouped(held.calls, ({ externalId }) => externalId);
  const known = new Set(told.map(({ id }) => id));
  for (const { id, externalId } of held.calls) {
    if (externalId === null || !known.has(externalId)) wrong.push(`${id} is no call of ours`);
  }

  const conversations = told.filter(({ mergedInto }) => mergedInto === null);
  let [missing, doubled, attached, kept, extraNotes] = [0, 0, 0, 0, 0];
  const recorded = able.recording === 'none' ? [] : conversations.filter(({ hasRecording }) => hasRecording);
  const noted = conversations.filter(({ id, note }) => note !== null && mayHold(able, objects.get(id)?.[0]));
  for (const call of conversations) {
    const of = objects.get(call.id) ?? [];
    const [object] = of;
    if (of.length > 1) doubled += 1;
    if (object === undefined) {
      missing += 1;
      wrong.push(`${aboutOf(call)} is not there`);
      continue;
    }
    if (of.length > 1) wrong.push(`${aboutOf(call)} is there ${of.length} times`);
    for (const what of faultsOf(call, object, able)) wrong.push(`${aboutOf(call)}: ${what}`);
    if (recorded.includes(call)) {
      if (object.recording === null) wrong.push(`${aboutOf(call)}: its recording is not there`);
      else attached += 1;
    }
    if (noted.includes(call) && call.note !== null) {
      const times = object.text.split(call.note).length - 1;
      if (times > 0) kept += 1;
      else wrong.push(`${aboutOf(call)}: its note is not there`);
      extraNotes += Math.max(0, times - 1);
    }
  }

  const merged = told.filter(({ mergedInto }) => mergedInto !== null);
  const left = merged.flatMap(({ id }) => objects.get(id) ?? []);
  for (const call of merged) {
    const of = objects.get(call.id) ?? [];
    if (able.remove && of.length > 0) wrong.push(`${aboutOf(call)} is still there`);
    if (of.length > 1) wrong.push(`${aboutOf(call)} is there ${of.length} times`);
    if (of.some(({ isOpen }) => isOpen)) wrong.push(`${aboutOf(call)} is still open`);
  }
  const tasks = tasksOf(told, held, able, wrong);
  const created = createdOf(told, held, able, wrong);
  return {
    conversations: conversations.length,
    missing,
    doubled,
    merged: { calls: merged.length, closed: able.remove ? 0 : left.length, notRemoved: able.remove ? left.length : 0 },
    recordings: { expected: recorded.length, attached },
    notes: { expected: noted.length, kept },
    tasks: { expected: tasks.expected, made: tasks.made, leftOpen: tasks.leftOpen },
    unknownCallers: { expected: created.expected, made: created.made },
    extra: { tasks: tasks.extra, notes: extraNotes, created: created.extra },
    wrong: wrong.slice(0, MOST_WRONG),
  };
}

/** Whether a note that was changed afterwards can reach it. Where the object has no text, nothing can be said. */
function mayHold({ note, updateAfterClose, lacks }: Able, object: SimulatedCall | undefined): boolean {
  if (note === 'none' || (note === 'in-call' && !updateAfterClose)) return false;
  return !(lacks.includes('text') && (object?.text ?? '').trim() === '');
}

function faultsOf(told: ToldCall, object: SimulatedCall, { lacks }: Able): readonly string[] {
  const { talkSeconds, durationSeconds, direction, wasAnswered, ownerId, contactId, number, startedAt } = told;
  const digits = (text: string): string => text.replace(/\D/g, '').slice(-10);
  const holds: readonly (readonly [keyof SimulatedCall, boolean])[] = [
    ['isOpen', !object.isOpen],
    ['seconds', object.seconds === talkSeconds || object.seconds === durationSeconds],
    ['direction', object.direction === direction],
    ['wasAnswered', object.wasAnswered === wasAnswered],
    ['ownerId', object.ownerId === ownerId],
    ['number', object.number !== null && digits(object.number) === digits(number)],
    ['startedAt', Math.abs((object.startedAt?.getTime() ?? Number.NaN) - startedAt.getTime()) <= START_MS],
    ['contactIds', contactId === null || object.contactIds.includes(contactId)],
  ];
  return holds
    .filter(([field, isRight]) => !isRight && !lacks.includes(field))
    .map(([field]) => `${field} is ${JSON.stringify(object[field])}`);
}

/** A task is known by the number in its subject. */
function tasksOf(told: readonly ToldCall[], { tasks }: Held, able: Able, wrong: string[]) {
  const byNumber = grouped(tasks, ({ subject }) => /\+\d{7,15}/.exec(subject)?.[0] ?? '');
  let [expected, made, leftOpen, extra] = [0, 0, 0, 0];
  for (const call of told) {
    const of = byNumber.get(call.number) ?? [];
    if (call.kind === 'call-back') continue;
    extra += Math.max(0, of.length - 1);
    if (call.kind === 'called-back') {
      // None is made where somebody talked with the number before.
      const open = of.filter(({ isOpen }) => isOpen).length;
      leftOpen += open;
      // Of one that was made twice, since its answer was lost, a CRM that cannot be asked keeps the other.
      if (of.length > 0 && open === of.length) wrong.push(`${aboutOf(call)}: its task is open`);
    }
    if (call.kind !== 'missed' || !able.tasks) {
      if (call.kind !== 'called-back' && of.length > 0) wrong.push(`${aboutOf(call)} has a task`);
      continue;
    }
    expected += 1;
    if (of.length === 0) wrong.push(`${aboutOf(call)} has no task`);
    else made += 1;
  }
  return { expected, made, leftOpen, extra };
}

/** What was made of callers whom nobody knew. Of what was merged away, something may have been made before. */
function createdOf(told: readonly ToldCall[], { created }: Held, able: Able, wrong: string[]) {
  const digits = (text: string): string => text.replace(/\D/g, '');
  const byNumber = new Map<string, number>();
  for (const { numbers } of created) {
    for (const number of new Set(numbers.map(digits))) byNumber.set(number, (byNumber.get(number) ?? 0) + 1);
  }
  let [expected, made, extra] = [0, 0, 0];
  for (const call of told) {
    if (call.kind === 'call-back') continue;
    const times = byNumber.get(digits(call.number)) ?? 0;
    extra += Math.max(0, times - 1);
    if (call.contactId !== null) {
      if (times > 0) wrong.push(`${aboutOf(call)}: its caller was made anew`);
      continue;
    }
    if (call.direction === 'outbound' || call.mergedInto !== null || able.creates.length === 0) continue;
    expected += 1;
    if (times > 0) made += 1;
    else wrong.push(`${aboutOf(call)}: nothing was made of its caller`);
  }
  return { expected, made, extra };
}

function aboutOf({ id, kind }: ToldCall): string {
  return `${kind} call ${id}`;
}

import { z } from 'zod';
import { cut } from '../../port/cut.js';
import type { CrmClient, CrmRequest } from '../../port/crm-client.js';
import type { CrmCall, CrmTask, ObjectRef } from '../../port/crm-objects.js';
import { withOwnHtmlLine, withOwnHtmlLines } from '../../port/own-lines-html.js';
import { linesOfCall, recordingLine } from '../../port/own-lines.js';
import { done, type Verdict } from '../../port/verdict.js';
import { ask, cost, create, dataOf, idShape, numberOf, textShape } from './pipedrive-api.js';

const SUBJECT_LENGTH = 255;
const NOTE_LENGTH = 100_000;
const PAGE = 500;
const TASK = 'task';
const MINUTE_MS = 60_000;

const activityShape = z.object({
  id: idShape,
  type: textShape,
  note: textShape,
  done: z.boolean().catch(false),
  is_deleted: z.boolean().catch(false),
});
type Activity = z.output<typeof activityShape>;
const madeShape = dataOf(z.object({ id: idShape }));
const pathOf = (id: string): string => `/v2/activities/${encodeURIComponent(id)}`;

export async function makeActivity(client: CrmClient, type: string, call: CrmCall): Promise<Verdict<string>> {
  const json = { ...fieldsOf(call, null), type };
  const request = { method: 'POST', path: '/v2/activities', body: { json }, cost: cost.v2.write } as const;
  const made = await create(client, request, madeShape);
  return made.verdict === 'done' ? done(made.value.data.id) : made;
}

export async function changeActivity(client: CrmClient, id: string, call: CrmCall): Promise<Verdict> {
  const known = await readActivity(client, id);
  return known.verdict === 'done' ? patch(client, id, fieldsOf(call, known.value)) : known;
}

export async function linkRecording(client: CrmClient, id: string, url: string | null): Promise<Verdict> {
  if (url === null) return { verdict: 'rejected', why: 'An activity holds a link, and rule recordings gives none.' };
  const known = await readActivity(client, id);
  if (known.verdict !== 'done') return known;
  return patch(client, id, { note: withOwnHtmlLine(known.value.note ?? null, recordingLine(url), NOTE_LENGTH) });
}

/** Kept as deleted for a month: as good as gone. */
async function readActivity(client: CrmClient, id: string): Promise<Verdict<Activity>> {
  const known = await ask(client, { method: 'GET', path: pathOf(id), cost: cost.v2.one }, dataOf(activityShape));
  if (known.verdict !== 'done') return known;
  const { data } = known.value;
  return data.is_deleted ? { verdict: 'gone', why: `Activity ${id} was deleted in Pipedrive.` } : done(data);
}

async function patch(client: CrmClient, id: string, json: object): Promise<Verdict> {
  const request: CrmRequest = { method: 'PATCH', path: pathOf(id), body: { json }, cost: cost.v2.write };
  const changed = await ask(client, request, madeShape);
  return changed.verdict === 'done' ? done() : changed;
}

/** After the call is over, its title and owner belong to whoever works with it. */
function fieldsOf(call: CrmCall, known: Activity | null): Record<string, unknown> {
  const { startedAt, userId } = call;
  const isOver = call.status === 'ended';
  const isTheirs = known?.done === true && isOver;
  const owner = numberOf(userId);
  return {
    due_date: startedAt.toISOString().slice(0, 10),
    due_time: startedAt.toISOString().slice(11, 19),
    duration: clockOf(call.talkSeconds),
    done: isOver,
    note: withOwnHtmlLines(known?.note ?? null, linesOfCall(call, { id: true, recording: true }), NOTE_LENGTH),
    ...(!isTheirs && {
      subject: cut(call.subject, SUBJECT_LENGTH),
      ...(owner !== undefined && { owner_id: owner }),
    }),
    ...linkOf(call.contact),
    ...call.fields,
  };
}

/** A person is the first participant: `person_id` follows from that. */
function linkOf(contact: ObjectRef | null): Record<string, unknown> {
  if (contact === null) return {};
  switch (contact.type) {
    case 'person':
      return { participants: [{ person_id: numberOf(contact.id), primary: true }] };
    case 'organization':
      return { org_id: numberOf(contact.id) };
    case 'lead':
      return { lead_id: contact.id };
    default:
      return {};
  }
}

function clockOf(seconds: number): string {
  const whole = Math.round(seconds);
  return [whole / 3600, (whole / 60) % 60, whole % 60]
    .map((part) => String(Math.floor(part)).padStart(2, '0'))
    .join(':');
}

/** By our id in its note, among those that changed since the call began. */
export async function findActivity(
  client: CrmClient,
  call: CrmCall,
  isWanted: (activity: Activity) => boolean = ({ type }) => type !== TASK,
): Promise<Verdict<string | null>> {
  const shape = z.object({
    data: z.array(activityShape).nullish(),
    additional_data: z.object({ next_cursor: textShape }).nullish().catch(null),
  });
  const since = new Date(call.startedAt.getTime() - MINUTE_MS).toISOString().replace(/\.\d+Z$/, 'Z');
  const seen = new Set<string>();
  for (let cursor: string | null = null; ;) {
    const query: CrmRequest['query'] = {
      updated_since: since,
      sort_by: 'add_time',
      sort_direction: 'asc',
      limit: PAGE,
      ...(cursor !== null && { cursor }),
    };
    const request: CrmRequest = { method: 'GET', path: '/v2/activities', query, cost: cost.v2.list };
    const page: Verdict<z.output<typeof shape>> = await ask(client, request, shape);
    if (page.verdict !== 'done') return page;
    const found = page.value.data?.find(
      (one) => !one.is_deleted && isWanted(one) && (one.note ?? '').includes(call.id),
    );
    if (found !== undefined) return done(found.id);
    cursor = page.value.additional_data?.next_cursor ?? null;
    // A page that leads to itself would never end.
    if (cursor === null || seen.has(cursor)) return done(null);
    seen.add(cursor);
  }
}

export async function removeActivity(client: CrmClient, id: string): Promise<Verdict> {
  const request: CrmRequest = { method: 'DELETE', path: pathOf(id), cost: cost.v2.remove };
  const removed = await ask(client, request, z.unknown());
  return removed.verdict === 'done' ? done() : removed;
}

/** Looked for first: Pipedrive makes as many as it is asked for. */
export async function createTask(client: CrmClient, call: CrmCall, task: CrmTask): Promise<Verdict<string>> {
  const known = await findActivity(client, call, ({ type }) => type === TASK);
  if (known.verdict !== 'done') return known;
  if (known.value !== null) return done(known.value);
  const owner = numberOf(task.userId);
  const json = {
    subject: cut(task.subject, SUBJECT_LENGTH),
    type: TASK,
    done: false,
    due_date: task.dueAt.toISOString().slice(0, 10),
    due_time: task.dueAt.toISOString().slice(11, 19),
    note: withOwnHtmlLines(
      null,
      [`Ringline ${call.id}`, ...task.text.split('\n').map((line) => cut(line, 1000))],
      NOTE_LENGTH,
    ),
    ...(owner !== undefined && { owner_id: owner }),
    ...linkOf(call.contact),
  };
  const request = { method: 'POST', path: '/v2/activities', body: { json }, cost: cost.v2.write } as const;
  const made = await create(client, request, madeShape);
  return made.verdict === 'done' ? done(made.value.data.id) : made;
}

export async function closeTask(client: CrmClient, id: string, text: string): Promise<Verdict> {
  const known = await readActivity(client, id);
  if (known.verdict !== 'done') return known;
  const note = withOwnHtmlLine(known.value.note ?? null, cut(text, SUBJECT_LENGTH), NOTE_LENGTH);
  return patch(client, id, { done: true, note });
}

import { z } from 'zod';
import type { NotePlace } from '../../port/crm-adapter.js';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmCall, CrmTask } from '../../port/crm-objects.js';
import { done, type Verdict } from '../../port/verdict.js';
import { ask, idSchema } from './bitrix24-api.js';
import { findFinished, isCaller, isoOf } from './bitrix24-calls.js';

/** Status of a task that is done. */
const COMPLETED = '5';

const commentsSchema = z.array(z.object({ ID: idSchema, COMMENT: z.string().nullish() }));

/** A comment in the timeline of whom the call belongs to: the activity of a call has no text that may be written. */
export async function addNote(
  client: CrmClient,
  callId: string,
  call: CrmCall,
  text: string,
): Promise<Verdict<NotePlace>> {
  const owner = call.contact !== null && isCaller(call.contact) ? done(call.contact) : await ownerOf(client, callId);
  if (owner.verdict !== 'done') return owner;
  // Notes stand in the timeline of somebody.
  if (owner.value === null) return done('no-place');
  const where = { ENTITY_TYPE: owner.value.type.toLowerCase(), ENTITY_ID: Number(owner.value.id) };
  const comment = marked(text, call);
  const list = { filter: where, order: { ID: 'DESC' }, select: ['ID', 'COMMENT'] };
  const written = await ask(client, 'crm.timeline.comment.list', list, commentsSchema);
  if (written.verdict !== 'done') return written;
  if (written.value.some(({ COMMENT }) => isSameText(COMMENT, comment))) return done('kept');
  const added = await ask(client, 'crm.timeline.comment.add', { fields: { ...where, COMMENT: comment } }, idSchema);
  return added.verdict === 'done' ? done('kept') : added;
}

async function ownerOf(client: CrmClient, callId: string) {
  const found = await findFinished(client, { CALL_ID: callId });
  return found.verdict === 'done' ? done(found.value?.entity ?? null) : found;
}

const bindings: Readonly<Record<string, string>> = { CONTACT: 'C', COMPANY: 'CO', LEAD: 'L', DEAL: 'D' };
const tasksSchema = z.object({
  tasks: z.array(z.object({ id: idSchema, description: z.string().nullish() })),
});
const taskSchema = z.object({
  task: z.object({ id: idSchema, status: idSchema.optional(), description: z.string().nullish() }),
});

export async function createTask(client: CrmClient, call: CrmCall, task: CrmTask): Promise<Verdict<string>> {
  const description = marked(task.text, call);
  const filter = { RESPONSIBLE_ID: Number(task.userId), TITLE: task.subject, '>=CREATED_DATE': isoOf(call.startedAt) };
  const list = { filter, order: { ID: 'DESC' }, select: ['ID', 'TITLE', 'DESCRIPTION'] };
  const made = await ask(client, 'tasks.task.list', list, tasksSchema);
  if (made.verdict !== 'done') return made;
  const same = made.value.tasks.find((one) => isSameText(one.description, description));
  if (same !== undefined) return done(same.id);
  const binding = call.contact === null ? undefined : bindings[call.contact.type];
  const fields = {
    TITLE: task.subject,
    DESCRIPTION: description,
    RESPONSIBLE_ID: Number(task.userId),
    DEADLINE: isoOf(task.dueAt),
    ...(call.contact !== null && binding !== undefined && { UF_CRM_TASK: [`${binding}_${call.contact.id}`] }),
  };
  const added = await ask(client, 'tasks.task.add', { fields }, taskSchema);
  return added.verdict === 'done' ? done(added.value.task.id) : added;
}

/** What came of it is added to what stands in the task, before it is closed. */
export async function closeTask(client: CrmClient, taskId: string, text: string): Promise<Verdict> {
  const get = { taskId: Number(taskId), select: ['ID', 'STATUS', 'DESCRIPTION'] };
  const found = await ask(client, 'tasks.task.get', get, z.union([taskSchema, z.array(z.never())]));
  if (found.verdict !== 'done') return found;
  if (Array.isArray(found.value)) return { verdict: 'gone', why: `There is no task ${taskId} any more.` };
  const { status, description } = found.value.task;
  if (status === COMPLETED) return done();
  const before = description ?? '';
  if (text !== '' && !before.includes(text)) {
    const fields = { DESCRIPTION: before === '' ? text : `${before}\n\n${text}` };
    const changed = await ask(client, 'tasks.task.update', { taskId: Number(taskId), fields }, z.unknown());
    if (changed.verdict !== 'done') return changed;
  }
  const completed = await ask(client, 'tasks.task.complete', { taskId: Number(taskId) }, z.unknown());
  return completed.verdict === 'done' ? done() : completed;
}

/** By its last line the same text is found again after an answer was lost, and told from that of another call. */
function marked(text: string, { id }: CrmCall): string {
  return `${text}\n\nRingline ${id}`;
}

function isSameText(one: string | null | undefined, other: string): boolean {
  const plain = (text: string): string => text.replace(/\s+/g, ' ').trim();
  return one != null && plain(one) === plain(other);
}

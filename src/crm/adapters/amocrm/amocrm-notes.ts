import { z } from 'zod';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmCall, CrmTask, ObjectRef } from '../../port/crm-objects.js';
import { done, type Verdict } from '../../port/verdict.js';
import { ask, idSchema, listOf, secondsOf } from './amocrm-api.js';
import { cardTypes, type CardType } from './amocrm-cards.js';

const notesSchema = listOf('notes', z.object({ params: z.object({ text: z.string().nullish() }).nullish() }));

/** Beside the call on its card, once. */
export async function addNote(
  client: CrmClient,
  type: CardType,
  id: string,
  call: CrmCall,
  text: string,
): Promise<Verdict> {
  const path = `/api/v4/${type}/${encodeURIComponent(id)}/notes`;
  const note = marked(text, call);
  const query = { 'filter[note_type][]': ['common'], 'order[updated_at]': 'desc', limit: 250 };
  const found = await ask(client, { method: 'GET', path, query }, notesSchema);
  if (found.verdict !== 'done') return found;
  if (found.value?.some(({ params }) => isSameText(params?.text, note)) === true) return done();
  const author = call.userId === null ? {} : { created_by: Number(call.userId) };
  const json = [{ note_type: 'common', ...author, params: { text: note } }];
  const added = await ask(client, { method: 'POST', path, json }, z.unknown());
  return added.verdict === 'done' ? done() : added;
}

const tasksSchema = listOf('tasks', z.object({ id: idSchema, text: z.string().nullish() }));
/** The type that every account has: a call. */
const CALL = 1;

export async function createTask(client: CrmClient, call: CrmCall, task: CrmTask): Promise<Verdict<string>> {
  const path = '/api/v4/tasks';
  const text = marked([task.subject, task.text].filter((part) => part !== '').join('\n'), call);
  const query = { 'filter[responsible_user_id][]': [task.userId], 'order[id]': 'desc', limit: 250 };
  const made = await ask(client, { method: 'GET', path, query }, tasksSchema);
  if (made.verdict !== 'done') return made;
  const same = made.value?.find((one) => isSameText(one.text, text));
  if (same !== undefined) return done(same.id);
  const json = [
    {
      task_type_id: CALL,
      text,
      complete_till: secondsOf(task.dueAt),
      responsible_user_id: Number(task.userId),
      request_id: call.id,
      ...(call.contact !== null &&
        isCard(call.contact) && { entity_type: call.contact.type, entity_id: Number(call.contact.id) }),
    },
  ];
  const added = await ask(client, { method: 'POST', path, json }, tasksSchema);
  if (added.verdict !== 'done') return added;
  const id = added.value?.[0]?.id;
  return id === undefined ? { verdict: 'retry', why: 'amoCRM does not say what it made.', mayBeDone: true } : done(id);
}

export async function closeTask(client: CrmClient, taskId: string, text: string): Promise<Verdict> {
  const path = `/api/v4/tasks/${encodeURIComponent(taskId)}`;
  const json = { is_completed: true, result: { text } };
  const closed = await ask(client, { method: 'PATCH', path, json }, z.unknown());
  return closed.verdict === 'done' ? done() : closed;
}

function isCard({ type }: ObjectRef): boolean {
  return cardTypes.some((one) => one === type);
}

/** By its last line the same text is found again after an answer was lost, and told from that of another call. */
function marked(text: string, { id }: CrmCall): string {
  return `${text}\n\nRingline ${id}`;
}

function isSameText(one: string | null | undefined, other: string): boolean {
  const plain = (text: string): string => text.replace(/\s+/g, ' ').trim();
  return one != null && plain(one) === plain(other);
}

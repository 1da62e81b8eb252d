import { z } from 'zod';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmCall, CrmTask } from '../../port/crm-objects.js';
import { done, type Verdict } from '../../port/verdict.js';
import { ask, create, failureFrom, idShape, listOf, nameOf, timeOf, whereOf } from './espocrm-api.js';

const DAY_MS = 86_400_000;
const taskShape = z.looseObject({ id: idShape, status: z.string().nullish(), description: z.string().nullish() });

/** Our id of the call stands in its text: by it, a task whose answer was lost is found again. */
export async function createTask(client: CrmClient, call: CrmCall, task: CrmTask): Promise<Verdict<string>> {
  const since = timeOf(new Date(call.startedAt.getTime() - DAY_MS));
  const filters = [
    { type: 'contains', attribute: 'description', value: call.id },
    { type: 'after', attribute: 'createdAt', value: since },
  ];
  const query = { ...whereOf(filters), select: 'id', orderBy: 'createdAt', order: 'asc', maxSize: 1 };
  const found = await ask(client, { method: 'GET', path: '/Task', query }, listOf(z.object({ id: idShape })));
  if (found.verdict !== 'done') return found;
  const known = found.value.list[0];
  if (known !== undefined) return done(known.id);
  const { contact } = call;
  const made = await create(client, 'Task', {
    name: nameOf(task.subject),
    status: 'Not Started',
    description: `${task.text}\n\nRingline ${call.id}\n`,
    dateEnd: timeOf(task.dueAt),
    assignedUserId: task.userId,
    ...(contact !== null && { parentType: contact.type, parentId: contact.id }),
  });
  return made.verdict === 'duplicate' ? { verdict: 'rejected', why: 'EspoCRM takes the task for a duplicate.' } : made;
}

/** One that somebody has closed or removed is left as it is. */
export async function closeTask(client: CrmClient, taskId: string, text: string): Promise<Verdict> {
  const path = `/Task/${encodeURIComponent(taskId)}`;
  const current = await ask(client, { method: 'GET', path }, taskShape);
  if (current.verdict === 'gone') return done();
  if (current.verdict !== 'done') return current;
  const { status, description } = current.value;
  if (status === 'Completed' || status === 'Canceled') return done();
  const before = (description ?? '').trimEnd();
  const json = { status: 'Completed', description: `${before === '' ? '' : `${before}\n\n`}${text}\n` };
  const failure = failureFrom(await client.request({ method: 'PUT', path, body: { json } }));
  return failure ?? done();
}

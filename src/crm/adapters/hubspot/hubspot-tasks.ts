import { cut } from '../../port/cut.js';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmCall, CrmTask } from '../../port/crm-objects.js';
import { escapeHtml, withOwnHtmlLine } from '../../port/own-lines-html.js';
import { done, type Verdict } from '../../port/verdict.js';
import { associate, change, readRecord, upsert } from './hubspot-api.js';
import { idPropertyOf } from './hubspot-id-property.js';

const BODY = 'hs_task_body';
const BODY_LENGTH = 65_536;
const SUBJECT_LENGTH = 255;
const LINES = 50;
const LINE_LENGTH = 200;

/** One for a call, however often it is asked for. */
export async function createTask(client: CrmClient, call: CrmCall, task: CrmTask): Promise<Verdict<string>> {
  const ready = await idPropertyOf(client, 'tasks');
  if (ready.verdict !== 'done') return ready;
  const made = await upsert(client, 'tasks', call.id, {
    hs_timestamp: task.dueAt.toISOString(),
    hs_task_subject: cut(task.subject, SUBJECT_LENGTH),
    [BODY]: htmlOf(task.text),
    hs_task_status: 'NOT_STARTED',
    hs_task_type: 'CALL',
    hubspot_owner_id: task.userId,
  });
  if (made.verdict !== 'done') return made;
  const placed = await associate(client, 'tasks', made.value, call.contact);
  return placed.verdict === 'done' ? made : placed;
}

export async function closeTask(client: CrmClient, taskId: string, text: string): Promise<Verdict> {
  const known = await readRecord(client, 'tasks', taskId, [BODY]);
  if (known.verdict !== 'done') return known;
  if (known.value === null) return { verdict: 'gone', why: `HubSpot has no task ${taskId} any more.` };
  const body = withOwnHtmlLine(known.value.properties[BODY] ?? null, cut(text, SUBJECT_LENGTH), BODY_LENGTH);
  const changed = await change(client, 'tasks', taskId, { hs_task_status: 'COMPLETED', [BODY]: body });
  return changed.verdict === 'done' ? done() : changed;
}

function htmlOf(text: string): string {
  const lines = text.split('\n').slice(0, LINES);
  return lines.map((line) => escapeHtml(cut(line, LINE_LENGTH))).join('<br>');
}

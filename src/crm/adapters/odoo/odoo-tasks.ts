import { z } from 'zod';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmCall, CrmTask } from '../../port/crm-objects.js';
import { done, type Verdict } from '../../port/verdict.js';
import { LEAD, PARTNER } from './odoo-call-objects.js';
import { paragraphsOf } from './odoo-html.js';
import { numberOf, titleOf, type Odoo } from './odoo-rpc.js';
import type { Accounts } from './odoo-users.js';

const ACTIVITY = 'mail.activity';
const DAY = 86_400;
const idShape = z.object({ id: z.int() });

/** An activity on the contact; on the contact of the user whom Ringline acts as where there is none. */
export async function createTask(
  client: CrmClient,
  odoo: Odoo,
  accounts: Accounts,
  call: CrmCall,
  task: CrmTask,
): Promise<Verdict<string>> {
  // Our id stands in its text: by it one whose answer was lost is found again.
  const found = await odoo.search(ACTIVITY, [['note', 'ilike', call.id]], idShape, ['id'], {
    order: 'id asc',
    limit: 1,
  });
  if (found.verdict !== 'done') return found;
  const [known] = found.value;
  if (known !== undefined) return done(String(known.id));
  const userId = numberOf(task.userId);
  if (userId === null) return { verdict: 'rejected', why: `Odoo has no user ${task.userId}.` };
  const { contact } = call;
  const contactId = numberOf(contact?.id);
  const isContact = contact !== null && contactId !== null && (contact.type === PARTNER || contact.type === LEAD);
  const own = await accounts.own();
  if (own.verdict !== 'done') return own;
  const model = isContact ? contact.type : PARTNER;
  const id = isContact ? contactId : own.value.partnerId;
  const type = await phoneCallType(client, odoo);
  if (type.verdict !== 'done') return type;
  // The model by its name: its id may be read by administrators only.
  const context = { default_res_model: model, default_res_id: id };
  const made = await odoo.create(
    ACTIVITY,
    {
      res_id: id,
      ...(type.value !== null && { activity_type_id: type.value }),
      summary: titleOf(task.subject),
      note: paragraphsOf(`${task.text}\nRingline ${call.id}`),
      date_deadline: task.dueAt.toISOString().slice(0, 10),
      user_id: userId,
    },
    context,
  );
  return made.verdict === 'done' ? done(String(made.value)) : made;
}

/** Done, with a word. One that is not there any more was done or cancelled by somebody. */
export async function closeTask(odoo: Odoo, taskId: string, words: string): Promise<Verdict> {
  const id = numberOf(taskId);
  if (id === null) return done();
  const open = await odoo.search(ACTIVITY, [['id', '=', id]], idShape, ['id']);
  if (open.verdict !== 'done') return open;
  if (open.value.length === 0) return done();
  const closed = await odoo.run(
    { model: ACTIVITY, method: 'action_feedback', ids: [id], args: { feedback: words } },
    z.unknown(),
  );
  return closed.verdict === 'done' || closed.verdict === 'gone' ? done() : closed;
}

/** Null: the admin has none for calls; then Odoo takes its default. */
function phoneCallType(client: CrmClient, odoo: Odoo): Promise<Verdict<number | null>> {
  return client.remember('call activity type', DAY, async () => {
    const found = await odoo.search('mail.activity.type', [['category', '=', 'phonecall']], idShape, ['id'], {
      order: 'id asc',
      limit: 1,
    });
    return found.verdict === 'done' ? done(found.value[0]?.id ?? null) : found;
  });
}

import { z } from 'zod';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmUser } from '../../port/crm-objects.js';
import { done, type Verdict } from '../../port/verdict.js';
import { ask, askWhole, idSchema, judged } from './bitrix24-api.js';

const HOUR_SECONDS = 3600;
/** 50 users a page: more than any portal has. */
const MOST_PAGES = 400;

const text = z.string().nullish();
const userSchema = z.object({
  ID: idSchema,
  NAME: text,
  LAST_NAME: text,
  EMAIL: text,
  ACTIVE: z.union([z.boolean(), z.enum(['Y', 'N'])]).default(true),
  UF_PHONE_INNER: z.union([z.string(), z.number(), z.null()]).optional(),
});
const select = ['ID', 'NAME', 'LAST_NAME', 'EMAIL', 'ACTIVE', 'UF_PHONE_INNER'];

export async function listUsers(client: CrmClient): Promise<Verdict<readonly CrmUser[]>> {
  const users: CrmUser[] = [];
  const page = z.object({ result: z.array(userSchema), next: z.number().optional() });
  let start = 0;
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const params = { sort: 'ID', order: 'ASC', FILTER: { USER_TYPE: 'employee' }, select, start };
    const answer = await askWhole(client, 'user.get', params, page);
    if (answer.verdict !== 'done') return judged(answer);
    users.push(...answer.value.result.map(toUser));
    const { next } = answer.value;
    if (next === undefined || next <= start) break;
    start = next;
  }
  return done(users);
}

/** The internal number; null for who has none. */
export function extensionOf(client: CrmClient, userId: string): Promise<Verdict<string | null>> {
  return client.remember(`extension:${userId}`, HOUR_SECONDS, async () => {
    const found = await ask(client, 'user.get', { FILTER: { ID: userId }, select }, z.array(userSchema));
    if (found.verdict !== 'done') return found;
    return done(found.value[0] === undefined ? null : toUser(found.value[0]).extension);
  });
}

export async function currentUser(client: CrmClient): Promise<Verdict<string>> {
  const found = await ask(client, 'user.current', {}, userSchema);
  return found.verdict === 'done' ? done(toUser(found.value).name) : found;
}

function toUser({ ID: id, NAME, LAST_NAME, EMAIL, ACTIVE, UF_PHONE_INNER }: z.output<typeof userSchema>): CrmUser {
  const name = [NAME, LAST_NAME].filter((part) => part != null && part !== '').join(' ');
  const extension = UF_PHONE_INNER == null ? '' : String(UF_PHONE_INNER).trim();
  return {
    id,
    name: name === '' ? (EMAIL ?? `User ${id}`) : name,
    email: EMAIL == null || EMAIL === '' ? null : EMAIL,
    extension: extension === '' ? null : extension,
    isActive: ACTIVE === true || ACTIVE === 'Y',
  };
}

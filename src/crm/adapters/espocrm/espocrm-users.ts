import { z } from 'zod';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmUser } from '../../port/crm-objects.js';
import { done, type Verdict } from '../../port/verdict.js';
import { ask, idShape, listOf, PAGE, whereOf } from './espocrm-api.js';

const userShape = z.looseObject({
  id: idShape,
  name: z.string().nullish(),
  userName: z.string().nullish(),
  emailAddress: z.string().nullish(),
  isActive: z.boolean().nullish(),
});

/** People: no API users, no portal users. */
export async function listUsers(
  client: CrmClient,
  extensionField: string | null,
): Promise<Verdict<readonly CrmUser[]>> {
  const select = ['name', 'userName', 'emailAddress', 'isActive', ...(extensionField === null ? [] : [extensionField])];
  const filters = [{ type: 'in', attribute: 'type', value: ['regular', 'admin', 'super-admin'] }];
  const users: CrmUser[] = [];
  for (;;) {
    const query = {
      ...whereOf(filters),
      select: select.join(','),
      orderBy: 'userName',
      order: 'asc',
      maxSize: PAGE,
      offset: users.length,
    };
    const page = await ask(client, { method: 'GET', path: '/User', query }, listOf(userShape));
    if (page.verdict !== 'done') return page;
    for (const { id, name, userName, emailAddress, isActive, ...more } of page.value.list) {
      const extension = extensionField === null ? null : more[extensionField];
      users.push({
        id,
        name: name ?? userName ?? id,
        email: emailAddress ?? null,
        extension: typeof extension === 'string' && extension !== '' ? extension : null,
        isActive: isActive ?? true,
      });
    }
    if (page.value.list.length < PAGE) return done(users);
  }
}

const meShape = z.object({
  user: z.looseObject({ id: idShape, userName: z.string() }),
  acl: z.object({ table: z.record(z.string(), z.unknown()).nullish() }).nullish(),
});
export type Me = { readonly id: string; readonly name: string; readonly lacks: readonly string[] };

/** What Ringline does with what. */
const wanted: Readonly<Record<string, readonly string[]>> = {
  Call: ['create', 'read', 'edit', 'delete'],
  Contact: ['read'],
  Lead: ['read'],
  Account: ['read'],
  User: ['read'],
};

/** The API user, and what its role lacks. */
export async function readMe(client: CrmClient): Promise<Verdict<Me>> {
  const answer = await ask(client, { method: 'GET', path: '/App/user' }, meShape);
  if (answer.verdict !== 'done') return answer;
  const { user, acl } = answer.value;
  const table = acl?.table ?? {};
  const lacks = Object.entries(wanted).flatMap(([scope, actions]) =>
    // A scope that the table does not name is not known to this version.
    actions
      .filter((action) => scope in table && !isAllowed(table[scope], action))
      .map((action) => `${scope}: ${action}`),
  );
  return done({ id: user.id, name: user.userName, lacks });
}

function isAllowed(scope: unknown, action: string): boolean {
  if (scope === true) return true;
  if (typeof scope !== 'object' || scope === null) return false;
  const level = (scope as Record<string, unknown>)[action];
  return level !== undefined && level !== 'no';
}

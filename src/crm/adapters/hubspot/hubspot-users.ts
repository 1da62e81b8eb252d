import { z } from 'zod';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmUser } from '../../port/crm-objects.js';
import { done, type Verdict } from '../../port/verdict.js';
import { ask, VERSION } from './hubspot-api.js';

const PAGE = 100;
const text = z.string().nullish().catch(null);
const pageShape = z.object({
  results: z.array(
    z.object({
      id: z.union([z.string().min(1), z.number()]).transform(String),
      email: text,
      firstName: text,
      lastName: text,
      archived: z.boolean().catch(false),
    }),
  ),
  paging: z
    .object({ next: z.object({ after: z.string().min(1) }) })
    .nullish()
    .catch(null),
});

/** Owners: whose a record may be. It knows no extensions. */
export async function listUsers(client: CrmClient): Promise<Verdict<readonly CrmUser[]>> {
  const users: CrmUser[] = [];
  const seen = new Set<string>();
  for (let after: string | undefined; ;) {
    const query = { limit: PAGE, ...(after !== undefined && { after }) };
    const page = await ask(client, { method: 'GET', path: `/crm/owners/${VERSION}`, query }, pageShape);
    if (page.verdict !== 'done') return page;
    for (const { id, email, firstName, lastName, archived } of page.value.results) {
      const name = [firstName, lastName].filter((part) => part != null && part !== '').join(' ');
      users.push({ id, name: name || (email ?? id), email: email ?? null, extension: null, isActive: !archived });
    }
    after = page.value.paging?.next.after;
    // A page that leads to itself would never end.
    if (after === undefined || seen.has(after)) return done(users);
    seen.add(after);
  }
}

const accountShape = z.object({ portalId: z.union([z.number(), z.string()]), uiDomain: text });
export type Account = { readonly portalId: string; readonly domain: string };

export async function readAccount(client: CrmClient): Promise<Verdict<Account>> {
  const account = await ask(client, { method: 'GET', path: `/account-info/${VERSION}/details` }, accountShape);
  if (account.verdict !== 'done') return account;
  const { portalId, uiDomain } = account.value;
  return done({ portalId: String(portalId), domain: uiDomain ?? 'app.hubspot.com' });
}

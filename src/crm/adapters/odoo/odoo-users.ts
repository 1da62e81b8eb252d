import { z } from 'zod';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmUser } from '../../port/crm-objects.js';
import { done, type Verdict } from '../../port/verdict.js';
import { linkedId, text, type Odoo } from './odoo-rpc.js';

const HOUR = 3600;
const PAGE = 500;

const personShape = z.looseObject({
  id: z.int(),
  name: text,
  login: text,
  email: text.optional(),
  active: z.boolean(),
});

/** Employees: no portal users. */
export async function listUsers(odoo: Odoo, extensionField: string | null): Promise<Verdict<readonly CrmUser[]>> {
  const fields = ['name', 'login', 'email', 'active', ...(extensionField === null ? [] : [extensionField])];
  const users: CrmUser[] = [];
  for (let after = 0; ;) {
    const page = await odoo.search(
      'res.users',
      [
        ['share', '=', false],
        ['id', '>', after],
      ],
      personShape,
      fields,
      { order: 'id asc', limit: PAGE, context: { active_test: false } },
    );
    if (page.verdict !== 'done') return page;
    for (const { id, name, login, email, active, ...more } of page.value) {
      const extension = extensionField === null ? null : more[extensionField];
      users.push({
        id: String(id),
        name: name ?? login ?? String(id),
        email: email ?? (login?.includes('@') === true ? login : null),
        extension: typeof extension === 'string' && extension !== '' ? extension : null,
        isActive: active,
      });
    }
    const last = page.value.at(-1);
    if (last === undefined || page.value.length < PAGE || last.id <= after) return done(users);
    after = last.id;
  }
}

/** A user and the contact that stands for them in chatters. */
export type Account = { readonly id: number; readonly name: string; readonly partnerId: number };

const accountShape = z.object({ id: z.int(), name: text, partner_id: linkedId });

export class Accounts {
  constructor(
    private readonly client: CrmClient,
    private readonly odoo: Odoo,
  ) {}

  async own(): Promise<Verdict<Account>> {
    const id = await this.odoo.ownId();
    if (id.verdict !== 'done') return id;
    const own = await this.#find(id.value);
    if (own.verdict !== 'done') return own;
    return own.value === null
      ? { verdict: 'rejected', why: 'The user may not read their own account.' }
      : done(own.value);
  }

  /** Null: there is none with this id. */
  find(id: number): Promise<Verdict<Account | null>> {
    return this.#find(id);
  }

  #find(id: number): Promise<Verdict<Account | null>> {
    return this.client.remember(`account ${id}`, HOUR, async () => {
      const context = { active_test: false };
      const found = await this.odoo.search('res.users', [['id', '=', id]], accountShape, ['name', 'partner_id'], {
        context,
      });
      if (found.verdict !== 'done') return found;
      const [one] = found.value;
      if (one === undefined || one.partner_id === null) return done(null);
      return done({ id: one.id, name: one.name ?? String(one.id), partnerId: one.partner_id });
    });
  }
}

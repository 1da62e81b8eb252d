import { z } from 'zod';
import type { ContactPage } from '../../port/crm-adapter.js';
import { done, type Verdict } from '../../port/verdict.js';
import { LEAD, PARTNER } from './odoo-call-objects.js';
import { readContacts, toContact, type ContactModel } from './odoo-contacts.js';
import { timeOf, type Odoo } from './odoo-rpc.js';
import type { OdooSettings } from './odoo-settings.js';

const PAGE = 200;
/** A change that was committed a little later than its time says is read again rather than missed. */
const OVERLAP_MS = 60_000;

const cursorShape = z.object({
  /** From which time of change on each model is read in this round, and in the next. */
  since: z.partialRecord(z.enum([PARTNER, LEAD]), z.string()),
  next: z.partialRecord(z.enum([PARTNER, LEAD]), z.string()),
  reading: z.enum([PARTNER, LEAD]),
  afterId: z.int(),
});
type Cursor = z.output<typeof cursorShape>;

const first: Cursor = { since: {}, next: {}, reading: PARTNER, afterId: 0 };

/**
 * One model after the other, each by id: times of change are told without their fractions, and a mass change gives one time to
 * many. Where the next round begins is what was changed last when this one began.
 */
export async function listContacts(
  odoo: Odoo,
  settings: OdooSettings,
  text: string | null,
): Promise<Verdict<ContactPage>> {
  let cursor = readCursor(text);
  const { reading, since } = cursor;
  if (cursor.afterId === 0) {
    const newest = await newestChange(odoo, reading);
    if (newest.verdict !== 'done') return newest;
    if (newest.value !== null) cursor = { ...cursor, next: { ...cursor.next, [reading]: newest.value } };
  }
  const from = since[reading];
  const rows = await readContacts(
    odoo,
    reading,
    () => [['id', '>', cursor.afterId], ...(from === undefined ? [] : [['write_date', '>=', from] as const])],
    { order: 'id asc', limit: PAGE },
  );
  if (rows.verdict !== 'done') return rows;
  const list = rows.value ?? [];
  const last = list.at(-1);
  const contacts = list.map((row) => toContact(settings, reading, row));
  if (last !== undefined && list.length >= PAGE && last.id > cursor.afterId) {
    return done({ contacts, cursor: JSON.stringify({ ...cursor, afterId: last.id }), isLast: false });
  }
  if (reading === PARTNER && settings.hasLeads) {
    return done({ contacts, cursor: JSON.stringify({ ...cursor, reading: LEAD, afterId: 0 }), isLast: false });
  }
  const round: Cursor = { since: { ...since, ...cursor.next }, next: {}, reading: PARTNER, afterId: 0 };
  return done({ contacts, cursor: JSON.stringify(round), isLast: true });
}

/** With an overlap. Null: there is nobody. */
async function newestChange(odoo: Odoo, model: ContactModel): Promise<Verdict<string | null>> {
  const newest = await readContacts(odoo, model, () => [], { order: 'write_date desc', limit: 1 });
  if (newest.verdict !== 'done') return newest;
  const at = Date.parse(`${(newest.value?.[0]?.write_date ?? '').replace(' ', 'T')}Z`);
  return done(Number.isNaN(at) ? null : timeOf(new Date(at - OVERLAP_MS)));
}

function readCursor(text: string | null): Cursor {
  if (text === null) return first;
  try {
    const read = cursorShape.safeParse(JSON.parse(text));
    return read.success ? read.data : first;
  } catch {
    return first;
  }
}

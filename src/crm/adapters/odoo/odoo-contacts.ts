import { z } from 'zod';
import type { CreatedKind } from '../../port/crm-adapter.js';
import type { CrmCall, CrmContact, CrmNumber, ObjectRef } from '../../port/crm-objects.js';
import { done, type Verdict } from '../../port/verdict.js';
import { LEAD, PARTNER } from './odoo-call-objects.js';
import { PHONECALL } from './odoo-phonecalls.js';
import {
  linkedId,
  linkedName,
  numberOf,
  text,
  titleOf,
  type Condition,
  type Domain,
  type Fields,
  type Odoo,
} from './odoo-rpc.js';
import { siteOf, type OdooSettings } from './odoo-settings.js';

/** Odoo 19 has no `mobile`; `phone_sanitized` needs a module. What is not there is not asked for. */
const numberFields = ['phone', 'mobile', 'phone_sanitized'] as const;

const rowShape = z.looseObject({
  id: z.int(),
  name: text,
  phone: text.optional(),
  mobile: text.optional(),
  phone_sanitized: text.optional(),
  is_company: z.boolean().optional(),
  parent_id: linkedName.optional(),
  commercial_company_name: text.optional(),
  contact_name: text.optional(),
  partner_name: text.optional(),
  partner_id: linkedId.optional(),
  user_id: linkedId,
  write_date: text,
});
export type Row = z.output<typeof rowShape>;
export type ContactModel = typeof PARTNER | typeof LEAD;

const wanted: Readonly<Record<ContactModel, readonly string[]>> = {
  [PARTNER]: ['name', ...numberFields, 'is_company', 'parent_id', 'commercial_company_name', 'user_id', 'write_date'],
  [LEAD]: ['name', ...numberFields, 'contact_name', 'partner_name', 'partner_id', 'user_id', 'write_date'],
};

/** @returns null where there is no such model */
export async function readContacts(
  odoo: Odoo,
  model: ContactModel,
  domain: (fields: Fields) => Domain,
  more: { readonly order: string; readonly limit: number },
): Promise<Verdict<readonly Row[] | null>> {
  const fields = await odoo.fields(model);
  if (fields.verdict !== 'done') return fields;
  const known = fields.value;
  if (known === null) return done(null);
  return odoo.search(
    model,
    domain(known),
    rowShape,
    wanted[model].filter((name) => name in known),
    more,
  );
}

const FOUND = 50;

/**
 * Partners, then leads that are not of one of those partners. Several partners are told apart by a rule:
 * who was talked with last; a person before a company; a company before its addresses; what was changed last.
 */
export async function findContacts(
  odoo: Odoo,
  settings: OdooSettings,
  number: CrmNumber,
): Promise<Verdict<readonly CrmContact[]>> {
  if (number.digits === '') return done([]);
  const more = { order: 'write_date desc, id asc', limit: FOUND };
  const domain = (fields: Fields): Domain => domainOf(number, fields);
  const partners = await readContacts(odoo, PARTNER, domain, more);
  if (partners.verdict !== 'done') return partners;
  const same = (partners.value ?? []).filter((row) => hasNumber(row, number));
  const talks = same.length > 1 ? await lastTalks(odoo, settings, same) : done(new Map<number, string>());
  if (talks.verdict !== 'done') return talks;
  const ranked = same.toSorted((a, b) => compare(a, b, talks.value));
  const leads = settings.hasLeads ? await readContacts(odoo, LEAD, domain, more) : done(null);
  if (leads.verdict !== 'done') return leads;
  const ids = new Set(ranked.map(({ id }) => id));
  const others = (leads.value ?? []).filter((row) => hasNumber(row, number) && !ids.has(row.partner_id ?? 0));
  return done([
    ...ranked.map((row) => toContact(settings, PARTNER, row)),
    ...others.map((row) => toContact(settings, LEAD, row)),
  ]);
}

/** As it is stored in whatever spelling: Odoo's own search overlooks signs; where it has none, each digit is looked for. */
function domainOf({ e164, national, digits }: CrmNumber, fields: Fields): Domain {
  const spellings = e164 === null ? [digits] : [e164, ...(national === null ? [] : [national])];
  const conditions = spellings.flatMap((spelling): readonly Condition[] => {
    const significant = spelling.replace(/[^\d+]/g, '');
    if ('phone_mobile_search' in fields && significant.length >= 3) return [['phone_mobile_search', '=', significant]];
    const pattern = [...significant].join('%');
    return ['phone', 'mobile'].filter((name) => name in fields).map((name) => [name, '=ilike', `%${pattern}%`]);
  });
  const all: readonly Condition[] = [
    ...conditions,
    ...(e164 !== null && 'phone_sanitized' in fields ? [['phone_sanitized', '=', e164] as const] : []),
  ];
  return all.length === 0 ? [['id', '=', 0]] : [...all.slice(1).map(() => '|' as const), ...all];
}

/** The search finds more than is meant: digits with others between them. */
function hasNumber({ phone, mobile, phone_sanitized }: Row, { e164, national, digits }: CrmNumber): boolean {
  if (e164 !== null && phone_sanitized === e164) return true;
  const meant = [digits, `00${digits}`, ...(national === null ? [] : [digitsOf(national)])];
  return [phone, mobile].some((stored) => stored != null && meant.includes(digitsOf(stored)));
}

function digitsOf(words: string): string {
  return words.replace(/\D/g, '');
}

/** When each was last talked with, as far as Ringline has written it down here. */
async function lastTalks(
  odoo: Odoo,
  settings: OdooSettings,
  partners: readonly Row[],
): Promise<Verdict<ReadonlyMap<number, string>>> {
  const ids = partners.map(({ id }) => id);
  const phonecalls = settings.calls === 'chatter' ? done(null) : await odoo.fields(PHONECALL);
  if (phonecalls.verdict !== 'done') return phonecalls;
  const more = { order: 'date desc', limit: 200 };
  const rows =
    phonecalls.value === null
      ? await odoo.search(
          'mail.message',
          [
            ['model', '=', PARTNER],
            ['res_id', 'in', ids],
            ['message_id', '=like', '<ringline-%'],
          ],
          z.object({ res_id: z.int(), date: text }).transform(({ res_id, date }) => ({ id: res_id, date })),
          ['res_id', 'date'],
          more,
        )
      : await odoo.search(
          PHONECALL,
          [['partner_id', 'in', ids]],
          z
            .object({ partner_id: linkedId, date: text })
            .transform(({ partner_id, date }) => ({ id: partner_id ?? 0, date })),
          ['partner_id', 'date'],
          more,
        );
  if (rows.verdict !== 'done') return rows;
  const last = new Map<number, string>();
  for (const { id, date } of rows.value) if (date !== null && !last.has(id)) last.set(id, date);
  return done(last);
}

function compare(a: Row, b: Row, talks: ReadonlyMap<number, string>): number {
  const talk = (row: Row): string => talks.get(row.id) ?? '';
  const rank = ({ is_company, parent_id }: Row): number => (is_company === true ? (parent_id == null ? 1 : 2) : 0);
  return (
    descending(talk(a), talk(b)) ||
    rank(a) - rank(b) ||
    descending(a.write_date ?? '', b.write_date ?? '') ||
    a.id - b.id
  );
}

function descending(a: string, b: string): number {
  return a === b ? 0 : a < b ? 1 : -1;
}

export function toContact(settings: OdooSettings, model: ContactModel, row: Row): CrmContact {
  const { id, name, phone, mobile, phone_sanitized, is_company, user_id } = row;
  const isCompany = model === PARTNER && is_company === true;
  const shown = model === LEAD ? (row.contact_name ?? row.partner_name ?? name) : name;
  const stored = [phone, mobile].filter((one): one is string => one != null && one !== '');
  return {
    type: model,
    id: String(id),
    kind: model === LEAD ? 'lead' : isCompany ? 'company' : 'contact',
    name: shown ?? '',
    company: isCompany
      ? name
      : ((model === LEAD ? row.partner_name : (row.commercial_company_name ?? row.parent_id)) ?? null),
    ownerId: user_id === null ? null : String(user_id),
    numbers: [...new Set(stored.length === 0 && phone_sanitized != null ? [phone_sanitized] : stored)],
    url: `${siteOf(settings)}/web#id=${id}&model=${model}&view_type=form`,
  };
}

/** Of an unknown caller. One with the same number that is there already is the one: it was made, and the answer was lost. */
export async function createObject(
  odoo: Odoo,
  settings: OdooSettings,
  kind: CreatedKind,
  call: CrmCall,
): Promise<Verdict<ObjectRef>> {
  if (kind === 'unsorted') return { verdict: 'rejected', why: 'Odoo has no list of unsorted callers.' };
  const { number, summary, subject } = call;
  const written = number.e164 ?? number.raw;
  if (number.digits === '') return { verdict: 'rejected', why: 'The caller has no number.' };
  const model = kind === 'lead' ? LEAD : PARTNER;
  const known = await findContacts(odoo, settings, number);
  if (known.verdict !== 'done') return known;
  const same = known.value.find(({ type }) => type === model);
  if (same !== undefined) return done({ type: model, id: same.id });
  const name = titleOf(number.national ?? written);
  const userId = numberOf(call.userId);
  const words = summary.replace(/(?!\n)\p{Cc}/gu, '');
  const made = await odoo.create(model, {
    ...(model === LEAD ? { name: titleOf(subject), contact_name: name, description: words } : { name, comment: words }),
    phone: written,
    ...(userId !== null && { user_id: userId }),
  });
  return made.verdict === 'done' ? done({ type: model, id: String(made.value) }) : made;
}

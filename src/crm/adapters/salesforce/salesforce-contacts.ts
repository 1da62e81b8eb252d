import { z } from 'zod';
import type { ContactPage, CreatedKind } from '../../port/crm-adapter.js';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmCall, CrmContact, CrmNumber, ObjectRef } from '../../port/crm-objects.js';
import { done, type Verdict } from '../../port/verdict.js';
import { ask, create, dataPath, idShape, query, soqlText, soslPhrase, textShape } from './salesforce-api.js';

/** People first, then who may become one, then their companies. */
const types = ['Contact', 'Lead', 'Account'] as const;
type Type = (typeof types)[number];

const phones: Readonly<Record<Type, readonly string[]>> = {
  Contact: ['Phone', 'MobilePhone', 'HomePhone', 'OtherPhone', 'AssistantPhone'],
  Lead: ['Phone', 'MobilePhone'],
  Account: ['Phone'],
};
const others: Readonly<Record<Type, readonly string[]>> = {
  Contact: ['Id', 'Name', 'OwnerId', 'Account.Name', 'SystemModstamp'],
  Lead: ['Id', 'Name', 'OwnerId', 'Company', 'SystemModstamp'],
  Account: ['Id', 'Name', 'OwnerId', 'SystemModstamp'],
};
const kinds = { Contact: 'contact', Lead: 'lead', Account: 'company' } as const;
const fieldsOf = (type: Type): string => [...others[type], ...phones[type]].join(', ');

const rowShape = z.object({
  attributes: z.object({ type: z.string() }),
  Id: idShape,
  Name: textShape,
  OwnerId: textShape,
  Company: textShape,
  Account: z.object({ Name: textShape }).nullish().catch(null),
  SystemModstamp: textShape,
  Phone: textShape,
  MobilePhone: textShape,
  HomePhone: textShape,
  OtherPhone: textShape,
  AssistantPhone: textShape,
});
type Row = z.output<typeof rowShape>;

const MOST = 20;
/** SOSL asks for two characters; fewer digits than this are an extension or a code. */
const LEAST_DIGITS = 6;

/**
 * By Salesforce's search index, in whatever form the number was entered, as far as its digits are the same with or without
 * country code. What the index gives besides is left out.
 */
export async function findContacts(
  client: CrmClient,
  site: string,
  number: CrmNumber,
): Promise<Verdict<readonly CrmContact[]>> {
  if (number.digits.length < LEAST_DIGITS) return done([]);
  const forms = formsOf(number);
  const returning = types.map((type) => {
    const where = type === 'Lead' ? ' WHERE IsConverted = false' : '';
    return `${type}(${fieldsOf(type)}${where} ORDER BY LastModifiedDate DESC LIMIT ${MOST})`;
  });
  const q = `FIND {${forms.map(soslPhrase).join(' OR ')}} IN PHONE FIELDS RETURNING ${returning.join(', ')}`;
  const shape = z.object({ searchRecords: z.array(rowShape) });
  const found = await ask(client, { method: 'GET', path: dataPath('/search'), query: { q } }, shape);
  if (found.verdict !== 'done') return found;
  const wanted = new Set(forms.map(digitsOf));
  const contacts = found.value.searchRecords
    .map((row) => toContact(row, site))
    .filter((one) => one !== null)
    .filter(({ numbers }) => numbers.some((one) => wanted.has(digitsOf(one))));
  const rank = ({ type }: CrmContact): number => types.findIndex((one) => one === type);
  return done(contacts.sort((a, b) => rank(a) - rank(b)));
}

const digitsOf = (number: string): string => number.replace(/\D/g, '');

/** As people write it: with `+`, with `00`, as in its country, without the zero before it. */
function formsOf({ e164, national, raw, digits }: CrmNumber): readonly string[] {
  const international = e164 === null ? digits : digitsOf(e164);
  const local = digitsOf(national ?? '');
  const forms = [international, `00${international}`, local, local.replace(/^[08]/, ''), national ?? '', digits, raw];
  return [...new Set(forms)].filter((form) => digitsOf(form).length >= LEAST_DIGITS);
}

function toContact(row: Row, site: string): CrmContact | null {
  const type = types.find((one) => one === row.attributes.type);
  if (type === undefined) return null;
  const held = [row.Phone, row.MobilePhone, row.HomePhone, row.OtherPhone, row.AssistantPhone];
  const numbers = held.flatMap((number) => (number == null || number === '' ? [] : [number]));
  return {
    type,
    id: row.Id,
    kind: kinds[type],
    name: row.Name ?? numbers[0] ?? row.Id,
    company: row.Company ?? row.Account?.Name ?? null,
    ownerId: row.OwnerId ?? null,
    numbers,
    url: `${site}/${row.Id}`,
  };
}

const cursorShape = z.object({
  type: z.enum(types),
  /** Last record that was seen of each type; without an id: all of that second are asked for again, as more may have changed in it. */
  seen: z.partialRecord(z.enum(types), z.object({ at: z.iso.datetime(), id: idShape.nullable() })),
});
type Cursor = z.output<typeof cursorShape>;

const PAGE = 500;

/** By last change and id, so that nothing is left out where many change at once. Converted leads have become contacts. */
export async function listContacts(
  client: CrmClient,
  site: string,
  text: string | null,
): Promise<Verdict<ContactPage>> {
  const { type, seen } = cursorOf(text);
  const from = seen[type];
  const where = from === undefined ? '' : ` WHERE ${afterOf(from)}`;
  const soql = `SELECT ${fieldsOf(type)} FROM ${type}${where} ORDER BY SystemModstamp, Id LIMIT ${PAGE}`;
  const rows = await query(client, soql, rowShape);
  if (rows.verdict !== 'done') return rows;
  const last = rows.value.at(-1);
  const at = timeOf(last?.SystemModstamp);
  const isWhole = rows.value.length < PAGE;
  const reached = last === undefined || at === null ? seen : { ...seen, [type]: { at, id: isWhole ? null : last.Id } };
  const next = isWhole ? (types[types.indexOf(type) + 1] ?? types[0]) : type;
  return done({
    contacts: rows.value.map((row) => toContact(row, site)).filter((one) => one !== null),
    cursor: JSON.stringify({ type: next, seen: reached } satisfies Cursor),
    isLast: isWhole && type === 'Account',
  });
}

function afterOf({ at, id }: { readonly at: string; readonly id: string | null }): string {
  if (id === null) return `SystemModstamp >= ${at}`;
  return `(SystemModstamp > ${at} OR (SystemModstamp = ${at} AND Id > ${soqlText(id)}))`;
}

/** One that cannot be read begins anew. */
function cursorOf(text: string | null): Cursor {
  try {
    return cursorShape.parse(JSON.parse(text ?? ''));
  } catch {
    return { type: 'Contact', seen: {} };
  }
}

/** `2026-03-10T09:15:20.000+0000`, which SOQL wants with `Z`. */
function timeOf(text: string | null | undefined): string | null {
  const at = new Date((text ?? '').replace(/\+0000$/, 'Z'));
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

/** Salesforce has no key for these: one with this number, made since the call began, is the one. */
export async function createObject(
  client: CrmClient,
  kind: CreatedKind,
  { number, userId, startedAt }: CrmCall,
): Promise<Verdict<ObjectRef>> {
  if (kind === 'unsorted') return { verdict: 'rejected', why: 'Salesforce has no list of unsorted callers.' };
  const phone = number.e164 ?? number.raw;
  if (phone === '') return { verdict: 'rejected', why: `There is no number to make a ${kind} of.` };
  const type = kind === 'lead' ? 'Lead' : 'Contact';
  const where = `Phone = ${soqlText(phone)} AND CreatedDate >= ${startedAt.toISOString()}`;
  const known = await query(
    client,
    `SELECT Id FROM ${type} WHERE ${where} ORDER BY CreatedDate LIMIT 1`,
    z.object({ Id: idShape }),
  );
  if (known.verdict !== 'done') return known;
  const [first] = known.value;
  if (first !== undefined) return done({ type, id: first.Id });
  const made = await create(client, type, {
    LastName: phone,
    Phone: phone,
    LeadSource: 'Phone Inquiry',
    // Required of a lead; what the caller's is, nobody knows yet.
    ...(type === 'Lead' && { Company: phone }),
    ...(userId !== null && { OwnerId: userId }),
  });
  return made.verdict === 'done' ? done({ type, id: made.value }) : made;
}

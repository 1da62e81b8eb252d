import { z } from 'zod';
import type { ContactPage, CreatedKind } from '../../port/crm-adapter.js';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmCall, CrmContact, CrmNumber, ObjectRef } from '../../port/crm-objects.js';
import { done, type Verdict } from '../../port/verdict.js';
import { ask, create, idShape, listOf, nameOf, whereOf, type Filter, type Found } from './espocrm-api.js';

/** Who is meant first, when several have one number: a person, one who may become a customer, a company. */
const types = ['Contact', 'Lead', 'Account'] as const;
type Type = (typeof types)[number];
const kinds = { Contact: 'contact', Lead: 'lead', Account: 'company' } as const;

const select = 'name,phoneNumber,accountName,assignedUserId,modifiedAt';
const recordShape = z.object({
  id: idShape,
  name: z.string().nullish(),
  phoneNumber: z.string().nullish(),
  phoneNumberData: z.array(z.looseObject({ phoneNumber: z.string().nullish() })).nullish(),
  accountName: z.string().nullish(),
  assignedUserId: z.string().nullish(),
  modifiedAt: z.string().nullish(),
});
type Stored = z.output<typeof recordShape>;

export async function findContacts(
  client: CrmClient,
  site: string,
  number: CrmNumber,
): Promise<Verdict<readonly CrmContact[]>> {
  const written = writtenForms(number);
  if (written.length === 0) return done([]);
  const query = { ...whereOf(filtersOf(number, written)), select, orderBy: 'modifiedAt', order: 'desc', maxSize: 10 };
  const search = (type: Type) => ask(client, { method: 'GET', path: `/${type}`, query }, listOf(recordShape));
  // Where the first is not answered, the others are not asked.
  const people = await search('Contact');
  if (people.verdict !== 'done') return people;
  const [leads, accounts] = await Promise.all([search('Lead'), search('Account')]);
  if (leads.verdict !== 'done') return leads;
  if (accounts.verdict !== 'done') return accounts;
  const found = { Contact: people.value.list, Lead: leads.value.list, Account: accounts.value.list };
  const contacts = types.flatMap((type) =>
    found[type].map((one) => withNumber(toContact(site, type, one), number, written)),
  );
  return done(contacts);
}

/** Digits alone, as EspoCRM keeps them beside each number. */
function writtenForms({ national, digits }: CrmNumber): readonly string[] {
  return [...new Set([digits, digitsOf(national ?? '')])].filter((one) => one !== '');
}

/** Whichever of a record’s numbers it is. */
function filtersOf({ e164 }: CrmNumber, written: readonly string[]): readonly Filter[] {
  const value: readonly Filter[] = [
    ...written.map((one) => ({ type: 'equals', attribute: 'phoneNumberNumeric', value: one })),
    ...(e164 === null ? [] : [{ type: 'equals', attribute: 'phoneNumber', value: e164 }]),
  ];
  return [{ type: 'or', value }];
}

/** A list shows only the first number of a record: when that is not the one that was asked for, it is another of them. */
function withNumber(contact: CrmContact, asked: CrmNumber, written: readonly string[]): CrmContact {
  if (contact.numbers.some((one) => written.includes(digitsOf(one)))) return contact;
  return { ...contact, numbers: [...contact.numbers, asked.e164 ?? asked.digits] };
}

function toContact(site: string, type: Type, stored: Stored): CrmContact {
  const { id, name, phoneNumber, phoneNumberData, accountName, assignedUserId } = stored;
  const numbers = [phoneNumber, ...(phoneNumberData ?? []).map((one) => one.phoneNumber)];
  return {
    type,
    id,
    kind: kinds[type],
    name: name ?? '',
    company: type === 'Account' ? (name ?? null) : (accountName ?? null),
    ownerId: assignedUserId ?? null,
    numbers: [...new Set(numbers.filter((one): one is string => typeof one === 'string' && one !== ''))],
    url: `${site}/#${type}/view/${id}`,
  };
}

function digitsOf(text: string): string {
  return text.replace(/\D/g, '');
}

/** One type after the other, each by the time of its last change. */
const cursorShape = z.object({
  /** Where each type’s next look begins: `YYYY-MM-DD HH:MM:SS`. */
  since: z.partialRecord(z.enum(types), z.string()),
  reading: z.enum(types),
  /** The last that was read of the type that is being read. */
  after: z.object({ at: z.string(), id: z.string() }).nullable(),
});
type Cursor = z.output<typeof cursorShape>;

/** What was committed a little later than its own time says is read again rather than missed. */
const OVERLAP_MS = 10_000;

/** Of a page, each record is asked for besides; so many at a time. */
const AT_ONCE = 5;
const CONTACTS = 50;

/** All numbers of a record are told only where it is asked for alone. */
export async function listContacts(
  client: CrmClient,
  site: string,
  text: string | null,
): Promise<Verdict<ContactPage>> {
  const cursor = readCursor(text);
  const { reading, after, since } = cursor;
  const filters = after === null ? sinceFilters(since[reading]) : afterFilters(after);
  const query = { ...whereOf(filters), select, orderBy: 'modifiedAt', order: 'asc', maxSize: CONTACTS };
  const answer = await ask(client, { method: 'GET', path: `/${reading}`, query }, listOf(recordShape));
  if (answer.verdict !== 'done') return answer;
  const { list } = answer.value;
  const contacts: CrmContact[] = [];
  for (let from = 0; from < list.length; from += AT_ONCE) {
    const some = list.slice(from, from + AT_ONCE);
    const read = await Promise.all(some.map((record) => withAllNumbers(client, reading, record)));
    for (const one of read) {
      if (one.verdict === 'done') contacts.push(toContact(site, reading, one.value));
      // Removed meanwhile.
      else if (one.verdict !== 'gone') return one;
    }
  }
  const { next, isLast } = nextCursor(cursor, list);
  return done({ contacts, cursor: JSON.stringify(next), isLast });
}

async function withAllNumbers(client: CrmClient, type: Type, record: Stored): Promise<Verdict<Stored>> {
  return record.phoneNumber == null
    ? done(record)
    : ask(client, { method: 'GET', path: `/${type}/${record.id}` }, recordShape);
}

function readCursor(text: string | null): Cursor {
  const first: Cursor = { since: {}, reading: types[0], after: null };
  if (text === null) return first;
  try {
    const read = cursorShape.safeParse(JSON.parse(text));
    return read.success ? read.data : first;
  } catch {
    return first;
  }
}

function sinceFilters(since: string | undefined): readonly Filter[] {
  return since === undefined ? [] : [{ type: 'greaterThanOrEquals', attribute: 'modifiedAt', value: since }];
}

/** EspoCRM orders those of one second by their ids. */
function afterFilters({ at, id }: NonNullable<Cursor['after']>): readonly Filter[] {
  const sameSecond: readonly Filter[] = [
    { type: 'equals', attribute: 'modifiedAt', value: at },
    { type: 'greaterThan', attribute: 'id', value: id },
  ];
  return [
    {
      type: 'or',
      value: [
        { type: 'greaterThan', attribute: 'modifiedAt', value: at },
        { type: 'and', value: sameSecond },
      ],
    },
  ];
}

function nextCursor(cursor: Cursor, list: readonly Stored[]): { readonly next: Cursor; readonly isLast: boolean } {
  const { reading, since } = cursor;
  const last = list.at(-1);
  const after = last?.modifiedAt == null ? cursor.after : { at: last.modifiedAt, id: last.id };
  if (list.length >= CONTACTS && after !== null) return { next: { since, reading, after }, isLast: false };
  const read = { ...since, ...(after !== null && { [reading]: earlier(after.at) }) };
  const following = types[types.indexOf(reading) + 1];
  return following === undefined
    ? { next: { since: read, reading: types[0], after: null }, isLast: true }
    : { next: { since: read, reading: following, after: null }, isLast: false };
}

function earlier(at: string): string {
  const time = Date.parse(`${at.replace(' ', 'T')}Z`);
  return Number.isNaN(time) ? at : new Date(time - OVERLAP_MS).toISOString().slice(0, 19).replace('T', ' ');
}

/**
 * Of an unknown caller. One with the same number that is there already is the one: it was made, and the answer was lost.
 */
export async function createObject(
  client: CrmClient,
  site: string,
  kind: CreatedKind,
  call: CrmCall,
): Promise<Verdict<ObjectRef>> {
  if (kind === 'unsorted') return { verdict: 'rejected', why: 'EspoCRM has no list of unsorted callers.' };
  const type = kind === 'lead' ? 'Lead' : 'Contact';
  const { number, summary, userId } = call;
  if (number.e164 === null)
    return { verdict: 'rejected', why: 'EspoCRM takes only public numbers, with their country.' };
  const known = await findContacts(client, site, number);
  if (known.verdict !== 'done') return known;
  const same = known.value.find((one) => one.type === type);
  if (same !== undefined) return done({ type, id: same.id });
  const fields = {
    lastName: nameOf(number.national ?? number.e164),
    phoneNumber: number.e164,
    description: summary,
    ...(userId !== null && { assignedUserId: userId }),
    ...(type === 'Lead' && { status: 'New', source: 'Call' }),
  };
  const made = await create(client, type, fields);
  if (made.verdict === 'done') return done({ type, id: made.value });
  if (made.verdict !== 'duplicate') return made;
  const twin = made.records.find((one) => hasNumber(one, number.e164));
  if (twin !== undefined) return done({ type, id: twin.id });
  // Somebody of the same name and not the same number is somebody else.
  const forced = await create(client, type, fields, { 'x-skip-duplicate-check': 'true' });
  if (forced.verdict === 'duplicate') return { verdict: 'rejected', why: 'EspoCRM takes the caller for a duplicate.' };
  return forced.verdict === 'done' ? done({ type, id: forced.value }) : forced;
}

function hasNumber({ phoneNumber, phoneNumberData }: Found, e164: string | null): boolean {
  return [phoneNumber, ...(phoneNumberData ?? []).map((one) => one.phoneNumber)].includes(e164 ?? '');
}

import { z } from 'zod';
import type { ContactPage, CreatedKind } from '../../port/crm-adapter.js';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmCall, CrmContact, CrmNumber, CrmUser, ObjectRef } from '../../port/crm-objects.js';
import { significantDigits } from '../../port/significant-digits.js';
import { done, type Verdict } from '../../port/verdict.js';
import { ask, cost, create, dataOf, idShape, numberOf, SEARCH, textShape } from './pipedrive-api.js';

const MOST = 20;
/** Fewer are an extension or a code. */
const LEAST_DIGITS = 6;

const foundShape = z.object({
  id: idShape,
  name: textShape,
  phones: z.array(z.string()).catch([]),
  owner: z.object({ id: idShape }).nullish().catch(null),
  organization: z.object({ name: textShape }).nullish().catch(null),
});

/** By its end in digits; where that finds nobody, as it is written in its country: searching costs the most. */
export async function findPeople(
  client: CrmClient,
  site: string,
  number: CrmNumber,
): Promise<Verdict<readonly CrmContact[]>> {
  const digits = significantDigits(number);
  if (digits.length < LEAST_DIGITS) return done([]);
  const terms = [...new Set([digits, number.national ?? digits])];
  for (const term of terms) {
    const found = await search(client, site, term, digits);
    if (found.verdict !== 'done' || found.value.length > 0) return found;
  }
  return done([]);
}

async function search(
  client: CrmClient,
  site: string,
  term: string,
  digits: string,
): Promise<Verdict<readonly CrmContact[]>> {
  const query = { term, fields: 'phone', limit: MOST };
  const request = { method: 'GET', path: '/v2/persons/search', query, cost: cost.v2.search, lane: SEARCH } as const;
  const shape = dataOf(z.object({ items: z.array(z.object({ item: foundShape })) }));
  const found = await ask(client, request, shape);
  if (found.verdict !== 'done') return found;
  const people = found.value.data.items.map(({ item }) => toContact(site, item, item.phones, item.owner?.id ?? null));
  return done(people.filter(({ numbers }) => numbers.some((one) => one.replace(/\D/g, '').endsWith(digits))));
}

function toContact(
  site: string,
  {
    id,
    name,
    organization,
  }: Pick<z.output<typeof foundShape>, 'id' | 'name'> & { organization?: { name?: string | null } | null },
  numbers: readonly string[],
  ownerId: string | null,
): CrmContact {
  return {
    type: 'person',
    id,
    kind: 'contact',
    name: name ?? numbers[0] ?? id,
    company: organization?.name ?? null,
    ownerId,
    numbers,
    url: `${site}/person/${encodeURIComponent(id)}`,
  };
}

const personShape = z.object({
  id: idShape,
  name: textShape,
  owner_id: idShape.nullish().catch(null),
  phones: z.array(z.object({ value: textShape })).catch([]),
  update_time: textShape,
});

/** `newest`: the last change that was seen, with which the next round begins. */
const cursorShape = z.object({
  since: z.iso.datetime().nullable(),
  page: z.string().nullable(),
  newest: z.iso.datetime().nullable(),
});
type Cursor = z.output<typeof cursorShape>;
const PAGE = 500;

export async function listPeople(client: CrmClient, site: string, text: string | null): Promise<Verdict<ContactPage>> {
  const { since, page, newest } = cursorOf(text);
  const query = {
    sort_by: 'update_time',
    sort_direction: 'asc',
    limit: PAGE,
    ...(since !== null && { updated_since: since }),
    ...(page !== null && { cursor: page }),
  };
  const shape = z.object({
    data: z.array(personShape).nullish(),
    additional_data: z.object({ next_cursor: textShape }).nullish().catch(null),
  });
  const listed = await ask(client, { method: 'GET', path: '/v2/persons', query, cost: cost.v2.list }, shape);
  if (listed.verdict !== 'done') return listed;
  const people = listed.value.data ?? [];
  const last = people
    .map(({ update_time: time }) => instantOf(time))
    .filter((at) => at !== null)
    .sort()
    .at(-1);
  const reached = last !== undefined && (newest === null || last > newest) ? last : newest;
  const next = listed.value.additional_data?.next_cursor ?? null;
  const isLast = next === null || next === page;
  const cursor: Cursor = isLast
    ? { since: reached ?? since, page: null, newest: reached ?? since }
    : { since, page: next, newest: reached };
  return done({
    contacts: people.map((person) => toContact(site, person, numbersOf(person), person.owner_id ?? null)),
    cursor: JSON.stringify(cursor),
    isLast,
  });
}

function numbersOf({ phones }: z.output<typeof personShape>): readonly string[] {
  return phones.flatMap(({ value }) => (value == null || value === '' ? [] : [value]));
}

function instantOf(time: string | null | undefined): string | null {
  const at = new Date(time ?? '');
  return Number.isNaN(at.getTime()) ? null : `${at.toISOString().slice(0, 19)}Z`;
}

/** One that cannot be read begins anew. */
function cursorOf(text: string | null): Cursor {
  try {
    return cursorShape.parse(JSON.parse(text ?? ''));
  } catch {
    return { since: null, page: null, newest: null };
  }
}

/** A lead has to be somebody's: the person who has the number, or one that is made. */
export async function createObject(
  client: CrmClient,
  site: string,
  kind: CreatedKind,
  call: CrmCall,
): Promise<Verdict<ObjectRef>> {
  if (kind === 'unsorted') return { verdict: 'rejected', why: 'Unknown callers are leads or persons in Pipedrive.' };
  if ((call.number.e164 ?? call.number.raw) === '') {
    return { verdict: 'rejected', why: `There is no number to make a ${kind} of.` };
  }
  if (kind === 'contact') return makePerson(client, call);
  const person = await personOf(client, site, call);
  if (person.verdict !== 'done') return person;
  const owner = numberOf(call.userId);
  const json = {
    title: call.number.e164 ?? call.number.raw,
    person_id: numberOf(person.value),
    origin_id: call.id,
    ...(owner !== undefined && { owner_id: owner }),
  };
  const request = { method: 'POST', path: '/v1/leads', body: { json }, cost: cost.v1.write } as const;
  const made = await create(client, request, dataOf(z.object({ id: idShape })));
  return made.verdict === 'done' ? done({ type: 'lead', id: made.value.data.id }) : made;
}

async function personOf(client: CrmClient, site: string, call: CrmCall): Promise<Verdict<string>> {
  if (call.contact?.type === 'person') return done(call.contact.id);
  const known = await findPeople(client, site, call.number);
  if (known.verdict !== 'done') return known;
  const [first] = known.value;
  if (first !== undefined) return done(first.id);
  const made = await makePerson(client, call);
  return made.verdict === 'done' ? done(made.value.id) : made;
}

async function makePerson(client: CrmClient, { number, userId }: CrmCall): Promise<Verdict<ObjectRef>> {
  const phone = number.e164 ?? number.raw;
  const owner = numberOf(userId);
  const json = {
    name: phone,
    phones: [{ value: phone, primary: true, label: 'work' }],
    ...(owner !== undefined && { owner_id: owner }),
  };
  const request = { method: 'POST', path: '/v2/persons', body: { json }, cost: cost.v2.write } as const;
  const made = await create(client, request, dataOf(z.object({ id: idShape })));
  return made.verdict === 'done' ? done({ type: 'person', id: made.value.data.id }) : made;
}

const userShape = z.object({ id: idShape, name: textShape, email: textShape, active_flag: z.boolean().catch(true) });

/** All at once: this list has no pages. It knows no extensions. */
export async function listUsers(client: CrmClient): Promise<Verdict<readonly CrmUser[]>> {
  const request = { method: 'GET', path: '/v1/users', cost: cost.v1.list } as const;
  const listed = await ask(client, request, dataOf(z.array(userShape)));
  if (listed.verdict !== 'done') return listed;
  return done(
    listed.value.data.map(({ id, name, email, active_flag: isActive }) => ({
      id,
      name: name ?? id,
      email: email ?? null,
      extension: null,
      isActive,
    })),
  );
}

export async function readMe(client: CrmClient): Promise<Verdict<string>> {
  const shape = dataOf(z.object({ name: textShape, company_name: textShape }));
  const me = await ask(client, { method: 'GET', path: '/v1/users/me', cost: cost.v1.one }, shape);
  if (me.verdict !== 'done') return me;
  const { name, company_name: company } = me.value.data;
  return done([name, company].filter((part) => part != null && part !== '').join(', ') || 'a user of Pipedrive');
}

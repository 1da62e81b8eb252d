import { z } from 'zod';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmCall, CrmContact, CrmNumber, ObjectRef } from '../../port/crm-objects.js';
import { significantDigits } from '../../port/significant-digits.js';
import { done, type Verdict } from '../../port/verdict.js';
import { ask, objectsPath, recordShape, upsert, type HubspotRecord } from './hubspot-api.js';
import { idPropertyOf } from './hubspot-id-property.js';

export type Kind = 'contacts' | 'companies';
/** Where people see records: `https://app-eu1.hubspot.com/contacts/123/record/`. */
export type RecordUrl = string | null;

/** The lane whose limit is the account's alone, a few a second. */
export const SEARCH = 'search';
const MOST = 20;
/** Fewer are an extension or a code. */
const LEAST_DIGITS = 6;

/** HubSpot's own reading of the numbers: digits, the searchable ones without country code. */
const calculated: Readonly<Record<Kind, readonly string[]>> = {
  contacts: ['hs_searchable_calculated_phone_number', 'hs_searchable_calculated_mobile_number'],
  companies: ['hs_searchable_calculated_phone_number'],
};
const entered: Readonly<Record<Kind, readonly string[]>> = { contacts: ['phone', 'mobilephone'], companies: ['phone'] };
const wanted: Readonly<Record<Kind, readonly string[]>> = {
  contacts: ['firstname', 'lastname', 'email', 'company', 'hubspot_owner_id', 'lastmodifieddate'],
  companies: ['name', 'hubspot_owner_id', 'hs_lastmodifieddate'],
};
const objectTypes: Readonly<Record<Kind, string>> = { contacts: '0-1', companies: '0-2' };
export const changedProperty = { contacts: 'lastmodifieddate', companies: 'hs_lastmodifieddate' } as const;

export const propertiesFor = (kind: Kind): readonly string[] => [
  ...wanted[kind],
  ...entered[kind],
  ...calculated[kind],
];

export const pageShape = z.object({
  results: z.array(recordShape),
  paging: z
    .object({ next: z.object({ after: z.union([z.string(), z.number()]).transform(String) }) })
    .nullish()
    .catch(null),
});

/** Companies where no person has it: searching is what HubSpot allows least of. */
export async function findContacts(
  client: CrmClient,
  url: RecordUrl,
  number: CrmNumber,
): Promise<Verdict<readonly CrmContact[]>> {
  const digits = significantDigits(number);
  if (digits.length < LEAST_DIGITS) return done([]);
  const people = await search(client, 'contacts', url, number, digits);
  if (people.verdict !== 'done' || people.value.length > 0) return people;
  return search(client, 'companies', url, number, digits);
}

async function search(
  client: CrmClient,
  kind: Kind,
  url: RecordUrl,
  { e164 }: CrmNumber,
  digits: string,
): Promise<Verdict<readonly CrmContact[]>> {
  const token = (propertyName: string) => ({ propertyName, operator: 'CONTAINS_TOKEN', value: `*${digits}` });
  const equal = (propertyName: string) => ({ propertyName, operator: 'EQ', value: e164 });
  const filters = [...calculated[kind].map(token), ...(e164 === null ? [] : entered[kind].map(equal))];
  const json = {
    filterGroups: filters.map((filter) => ({ filters: [filter] })),
    properties: propertiesFor(kind),
    sorts: [{ propertyName: changedProperty[kind], direction: 'DESCENDING' }],
    limit: MOST,
  };
  const request = { method: 'POST', path: `${objectsPath(kind)}/search`, body: { json }, lane: SEARCH } as const;
  const found = await ask(client, request, pageShape);
  if (found.verdict !== 'done') return found;
  return done(
    found.value.results
      .filter((record) => digitsIn(kind, record).some((one) => one.endsWith(digits)))
      .map((record) => toContact(kind, record, url)),
  );
}

function digitsIn(kind: Kind, { properties }: HubspotRecord): readonly string[] {
  return [...entered[kind], ...calculated[kind]].map((name) => (properties[name] ?? '').replace(/\D/g, ''));
}

export function toContact(kind: Kind, { id, properties }: HubspotRecord, url: RecordUrl): CrmContact {
  const text = (name: string): string | null => (properties[name] ?? '').trim() || null;
  const numbers = entered[kind].map(text).filter((one) => one !== null);
  const person = [text('firstname'), text('lastname')].filter((part) => part !== null).join(' ');
  const name = kind === 'companies' ? (text('name') ?? '') : person || (text('email') ?? '');
  return {
    type: kind === 'contacts' ? 'contact' : 'company',
    id,
    kind: kind === 'contacts' ? 'contact' : 'company',
    name: name === '' ? (numbers[0] ?? id) : name,
    company: kind === 'contacts' ? text('company') : null,
    ownerId: text('hubspot_owner_id'),
    numbers,
    url: url === null ? null : `${url}${objectTypes[kind]}/${encodeURIComponent(id)}`,
  };
}

export async function createContact(client: CrmClient, { id, number, userId }: CrmCall): Promise<Verdict<ObjectRef>> {
  const phone = number.e164 ?? number.raw;
  if (phone === '') return { verdict: 'rejected', why: 'There is no number to make a contact of.' };
  const ready = await idPropertyOf(client, 'contacts');
  if (ready.verdict !== 'done') return ready;
  const properties = { phone, lastname: phone, ...(userId !== null && { hubspot_owner_id: userId }) };
  const made = await upsert(client, 'contacts', id, properties);
  return made.verdict === 'done' ? done({ type: 'contact', id: made.value }) : made;
}

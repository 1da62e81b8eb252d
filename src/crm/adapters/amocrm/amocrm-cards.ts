import { z } from 'zod';
import type { ContactPage } from '../../port/crm-adapter.js';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmContact, CrmNumber } from '../../port/crm-objects.js';
import { done, type Verdict } from '../../port/verdict.js';
import { ask, idSchema, listOf } from './amocrm-api.js';

/** What calls, notes and tasks can belong to, in the words of amoCRM's paths. */
export const cardTypes = ['contacts', 'companies', 'leads'] as const;
export type CardType = (typeof cardTypes)[number];

const WON = 142;
const LOST = 143;
const PAGE = 250;
/** amoCRM itself compares numbers by so many of their last digits. */
const TAIL = 10;

const cardSchema = z
  .object({
    id: idSchema,
    name: z.string().nullish(),
    responsible_user_id: z.number().nullish(),
    updated_at: z.number().default(0),
    status_id: z.number().nullish(),
    custom_fields_values: z
      .array(
        z.object({
          field_code: z.string().nullish(),
          values: z.array(z.object({ value: z.unknown() })),
        }),
      )
      .nullish(),
    _embedded: z.object({ leads: z.array(z.object({ id: idSchema })).optional() }).optional(),
  })
  .transform(({ _embedded: embedded, ...card }) => ({ ...card, leadIds: (embedded?.leads ?? []).map(({ id }) => id) }));
type Card = z.output<typeof cardSchema>;

async function list(
  client: CrmClient,
  type: CardType,
  query: Readonly<Record<string, string | number | readonly string[]>>,
): Promise<Verdict<readonly Card[]>> {
  const found = await ask(client, { method: 'GET', path: `/api/v4/${type}`, query }, listOf(type, cardSchema));
  if (found.verdict !== 'done') return found;
  return done(found.value ?? []);
}

/** Contacts and companies with the number, then the leads of those that are still worked on. */
export async function findCards(
  client: CrmClient,
  baseUrl: string,
  { digits }: CrmNumber,
): Promise<Verdict<readonly CrmContact[]>> {
  if (digits === '') return done([]);
  const cards: CrmContact[] = [];
  const leadIds = new Set<string>();
  for (const type of ['contacts', 'companies'] as const) {
    const found = await list(client, type, { query: digits.slice(-TAIL), with: 'leads', limit: 50 });
    if (found.verdict !== 'done') return found;
    // The search looks into every field.
    const same = found.value.filter((card) => phonesOf(card).some((phone) => isSameNumber(phone, digits)));
    cards.push(...same.map((card) => toContact(card, type, baseUrl)));
    for (const lead of same.flatMap((card) => card.leadIds)) leadIds.add(lead);
  }
  if (leadIds.size === 0) return done(cards);
  const leads = await list(client, 'leads', { 'filter[id][]': [...leadIds].slice(0, 50), limit: 50 });
  if (leads.verdict !== 'done') return leads;
  const open = leads.value.filter(({ status_id: status }) => status !== WON && status !== LOST);
  return done([...cards, ...open.map((card) => toContact(card, 'leads', baseUrl))]);
}

/** Where each list was left: the time of its last change, and the page of those of that second. */
type Cursor = {
  readonly type: 'contacts' | 'companies';
  readonly since: Readonly<Record<string, number>>;
  readonly page: number;
};

/** One page: contacts, then companies, each by the time of its last change. Leads have no numbers. */
export async function listContacts(
  client: CrmClient,
  baseUrl: string,
  cursor: string | null,
): Promise<Verdict<ContactPage>> {
  const { type, since, page } =
    cursor === null ? { type: 'contacts' as const, since: {}, page: 1 } : (JSON.parse(cursor) as Cursor);
  const from = since[type];
  const found = await list(client, type, {
    'order[updated_at]': 'asc',
    ...(from !== undefined && { 'filter[updated_at][from]': from }),
    limit: PAGE,
    page,
  });
  if (found.verdict !== 'done') return found;
  const last = found.value.at(-1)?.updated_at ?? from;
  const isLeft = found.value.length === PAGE;
  const moved = { ...since, ...(last !== undefined && { [type]: last }) };
  // More than a page may have been changed in one second: an import.
  const next: Cursor = isLeft
    ? { type, since: moved, page: last === from ? page + 1 : 1 }
    : { type: type === 'contacts' ? 'companies' : 'contacts', since: moved, page: 1 };
  return done({
    contacts: found.value.map((card) => toContact(card, type, baseUrl)),
    cursor: JSON.stringify(next),
    isLast: !isLeft && type === 'companies',
  });
}

function toContact(card: Card, type: CardType, baseUrl: string): CrmContact {
  return {
    type,
    id: card.id,
    kind: kindOf(type),
    name: card.name ?? '',
    company: null,
    ownerId:
      card.responsible_user_id == null || card.responsible_user_id === 0 ? null : String(card.responsible_user_id),
    numbers: phonesOf(card),
    url: `${baseUrl}/${type}/detail/${encodeURIComponent(card.id)}`,
  };
}

function phonesOf(card: Card): readonly string[] {
  const phones = (card.custom_fields_values ?? []).filter(({ field_code: code }) => code === 'PHONE');
  return phones.flatMap(({ values }) =>
    values.flatMap(({ value }) => (typeof value === 'string' || typeof value === 'number' ? [String(value)] : [])),
  );
}

function isSameNumber(phone: string, digits: string): boolean {
  const given = phone.replace(/\D/g, '');
  if (digits.length < TAIL || given.length < TAIL) return given === digits;
  return given.slice(-TAIL) === digits.slice(-TAIL);
}

function kindOf(type: CardType): CrmContact['kind'] {
  switch (type) {
    case 'contacts':
      return 'contact';
    case 'companies':
      return 'company';
    case 'leads':
      return 'lead';
  }
}

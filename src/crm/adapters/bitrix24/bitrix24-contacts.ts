import { z } from 'zod';
import type { ContactPage, CreatedKind } from '../../port/crm-adapter.js';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmCall, CrmContact, CrmNumber, ObjectRef } from '../../port/crm-objects.js';
import { done, type Verdict } from '../../port/verdict.js';
import { ask, idSchema, maybeId } from './bitrix24-api.js';

/** Marks what Ringline made, in the two fields that Bitrix24 has for the id of another system. */
const ORIGINATOR = 'ringline';
const PAGE = 50;

const kinds = ['contact', 'company', 'lead'] as const;
type Kind = (typeof kinds)[number];

const foundSchema = z.array(
  z.object({
    CRM_ENTITY_TYPE: z.enum(['CONTACT', 'COMPANY', 'LEAD']),
    CRM_ENTITY_ID: idSchema,
    ASSIGNED_BY_ID: maybeId,
    NAME: z.string().nullish(),
  }),
);

export async function findContacts(
  client: CrmClient,
  portal: string,
  number: CrmNumber,
): Promise<Verdict<readonly CrmContact[]>> {
  const phone = number.e164 ?? number.digits;
  if (phone === '') return done([]);
  const method = 'telephony.externalCall.searchCrmEntities';
  const found = await ask(client, method, { PHONE_NUMBER: phone }, foundSchema);
  if (found.verdict !== 'done') return found;
  return done(
    found.value.map(({ CRM_ENTITY_TYPE: type, CRM_ENTITY_ID: id, ASSIGNED_BY_ID: ownerId, NAME }) => {
      const kind = kindOf(type);
      return {
        type,
        id,
        kind,
        name: NAME ?? '',
        company: null,
        ownerId,
        numbers: [phone],
        url: urlOf(portal, kind, id),
      };
    }),
  );
}

const listedSchema = z.array(
  z.object({
    ID: idSchema,
    NAME: z.string().nullish(),
    LAST_NAME: z.string().nullish(),
    TITLE: z.string().nullish(),
    COMPANY_TITLE: z.string().nullish(),
    ASSIGNED_BY_ID: maybeId,
    DATE_MODIFY: z.string(),
    PHONE: z.array(z.object({ VALUE: z.string() })).nullish(),
  }),
);

/** Where each list was left: when its last one was changed, and how many of that time were seen already. */
type Cursor = { readonly kind: Kind; readonly since: Partial<Record<Kind, string>>; readonly start: number };

/** One page: contacts, then companies, then leads, each by the time of its last change. */
export async function listContacts(
  client: CrmClient,
  portal: string,
  cursor: string | null,
): Promise<Verdict<ContactPage>> {
  const { kind, since, start } =
    cursor === null ? { kind: kinds[0], since: {}, start: 0 } : (JSON.parse(cursor) as Cursor);
  const from = since[kind];
  const params = {
    order: { DATE_MODIFY: 'ASC', ID: 'ASC' },
    filter: from === undefined ? {} : { '>=DATE_MODIFY': from },
    select: ['ID', 'NAME', 'LAST_NAME', 'TITLE', 'COMPANY_TITLE', 'ASSIGNED_BY_ID', 'DATE_MODIFY', 'PHONE'],
    start,
  };
  const answer = await ask(client, `crm.${kind}.list`, params, listedSchema);
  if (answer.verdict !== 'done') return answer;
  const last = answer.value.at(-1)?.DATE_MODIFY ?? from;
  const isLeft = answer.value.length === PAGE;
  // More than a page may have been changed in one second: an import.
  const next: Cursor = isLeft
    ? {
        kind,
        since: { ...since, ...(last !== undefined && { [kind]: last }) },
        start: last === from ? start + PAGE : 0,
      }
    : {
        kind: kinds[(kinds.indexOf(kind) + 1) % kinds.length] ?? kinds[0],
        since: { ...since, ...(last !== undefined && { [kind]: last }) },
        start: 0,
      };
  return done({
    contacts: answer.value.map((one) => toContact(one, kind, portal)),
    cursor: JSON.stringify(next),
    isLast: !isLeft && kind === kinds.at(-1),
  });
}

function toContact(one: z.output<typeof listedSchema>[number], kind: Kind, portal: string): CrmContact {
  const person = [one.NAME, one.LAST_NAME].filter((part) => part != null && part !== '').join(' ');
  return {
    type: kind.toUpperCase(),
    id: one.ID,
    kind,
    name: person === '' ? (one.TITLE ?? '') : person,
    company: one.COMPANY_TITLE == null || one.COMPANY_TITLE === '' ? null : one.COMPANY_TITLE,
    ownerId: one.ASSIGNED_BY_ID,
    numbers: (one.PHONE ?? []).map(({ VALUE }) => VALUE),
    url: urlOf(portal, kind, one.ID),
  };
}

/** By our id first: if it was made and the answer was lost, it is not made again. */
export async function createObject(client: CrmClient, kind: CreatedKind, call: CrmCall): Promise<Verdict<ObjectRef>> {
  if (kind === 'unsorted') return { verdict: 'rejected', why: 'Bitrix24 has no unsorted callers.' };
  const filter = { ORIGINATOR_ID: ORIGINATOR, ORIGIN_ID: call.id };
  const type = kind.toUpperCase();
  const found = await ask(client, `crm.${kind}.list`, { filter, select: ['ID'] }, z.array(z.object({ ID: idSchema })));
  if (found.verdict !== 'done') return found;
  if (found.value[0] !== undefined) return done({ type, id: found.value[0].ID });
  const phone = call.number.e164 ?? call.number.digits;
  const fields = {
    ...(kind === 'lead' ? { TITLE: call.subject } : { NAME: phone }),
    PHONE: [{ VALUE: phone, VALUE_TYPE: 'WORK' }],
    SOURCE_ID: 'CALL',
    OPENED: 'Y',
    ...(call.userId !== null && { ASSIGNED_BY_ID: Number(call.userId) }),
    ...filter,
  };
  const added = await ask(client, `crm.${kind}.add`, { fields }, idSchema);
  return added.verdict === 'done' ? done({ type, id: added.value }) : added;
}

function kindOf(type: 'CONTACT' | 'COMPANY' | 'LEAD'): Kind {
  switch (type) {
    case 'CONTACT':
      return 'contact';
    case 'COMPANY':
      return 'company';
    case 'LEAD':
      return 'lead';
  }
}

function urlOf(portal: string, kind: Kind, id: string): string {
  return `${portal}/crm/${kind}/details/${encodeURIComponent(id)}/`;
}

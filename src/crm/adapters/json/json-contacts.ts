import type { CreatedKind } from '../../port/crm-adapter.js';
import type { CrmCall, CrmContact, CrmNumber, CrmUser, ObjectRef } from '../../port/crm-objects.js';
import { significantDigits } from '../../port/significant-digits.js';
import { done, type Verdict } from '../../port/verdict.js';
import type { Find } from './description-shape.js';
import { unlike, type JsonApi } from './json-api.js';
import { callScope, numberScope } from './scopes.js';
import { render, renderAddress, renderText, type Given } from './template.js';
import { idOf, valueAt, type Value } from './values.js';

/** So many of one kind at most. */
const MOST_FOUND = 50;

/** In the order of the description: who stands first there is meant first. */
export async function findContacts(
  api: JsonApi,
  finds: readonly Find[],
  number: CrmNumber,
): Promise<Verdict<readonly CrmContact[]>> {
  if (number.digits === '') return done([]);
  const found: CrmContact[] = [];
  for (const find of finds) {
    const brought = await api.ask(find.request, { number: numberScope(number) });
    // A CRM may say with 404 that there is nobody.
    if (brought.verdict === 'gone') continue;
    if (brought.verdict !== 'done') return brought;
    const items = listIn(brought.value.answer, find.list);
    if (items === null) return unlike(find.list ?? 'no list');
    for (const item of items.slice(0, MOST_FOUND)) {
      const contact = toContact(find, api.given({ item }));
      if (contact === null) return unlike(find.id);
      if (contact.numbers.some((one) => isSame(one, number))) found.push(contact);
    }
  }
  return done(found);
}

/** A search by `like` may find more than was asked for. */
function isSame(held: string, number: CrmNumber): boolean {
  const digits = held.replace(/\D/g, '');
  return digits === number.digits || (number.e164 !== null && digits.endsWith(significantDigits(number)));
}

function toContact(find: Find, given: Given): CrmContact | null {
  const id = idOf(render(find.id, given));
  if (id === null) return null;
  const text = (template: string | undefined): string | null =>
    template === undefined ? null : (renderText(template, given)?.replace(/\s+/g, ' ').trim() ?? null);
  const owner = find.ownerId === undefined ? null : idOf(render(find.ownerId, given));
  const numbers = find.numbers.flatMap((template) => renderText(template, given) ?? []).filter((one) => one !== '');
  return {
    type: find.type,
    id,
    kind: find.kind,
    name: text(find.name) ?? '',
    company: text(find.company) || null,
    ownerId: owner,
    numbers: [...new Set(numbers)],
    url: find.url === undefined ? null : linkOf(find.url, given),
  };
}

function linkOf(template: string, given: Given): string | null {
  const site = '{{connection.url}}';
  if (!template.startsWith(site)) return renderAddress(template, given);
  const rest = renderAddress(template.slice(site.length), given);
  return rest === null ? null : `${renderText(site, given) ?? ''}${rest}`;
}

export function listIn(answer: Value, path: string | null): readonly Value[] | null {
  const list = path === null ? answer : valueAt(answer, path);
  return Array.isArray(list) ? list : null;
}

export async function listUsers(api: JsonApi): Promise<Verdict<readonly CrmUser[]>> {
  const { users } = api.description;
  if (users === undefined) return done([]);
  const { request, pages, list: path } = users;
  const all: CrmUser[] = [];
  for (let page = 0; page < (pages?.most ?? 1); page++) {
    const number = pages === undefined ? null : pages.first + page * pages.step;
    const query = pages === undefined ? request.query : { ...request.query, [pages.parameter]: String(number) };
    const brought = await api.ask({ ...request, ...(query && { query }) }, {});
    if (brought.verdict !== 'done') return brought;
    const items = listIn(brought.value.answer, path);
    if (items === null) return unlike(path ?? 'no list');
    for (const item of items) {
      const user = toUser(users, api.given({ item }));
      if (user === null) return unlike(users.id);
      all.push(user);
    }
    if (pages === undefined || items.length < pages.size) break;
  }
  return done(all);
}

type Users = NonNullable<JsonApi['description']['users']>;

function toUser({ id: idTemplate, name, email, extension, isActive }: Users, given: Given): CrmUser | null {
  const id = idOf(render(idTemplate, given));
  if (id === null) return null;
  const text = (template: string | undefined): string | null =>
    template === undefined ? null : renderText(template, given)?.trim() || null;
  return {
    id,
    name: text(name) ?? id,
    email: text(email),
    extension: text(extension),
    isActive: isActive === undefined || isActive.in.includes(renderText(isActive.value, given) ?? ''),
  };
}

/** One of the same type who has the number already is the one: it was made, and the answer was lost. */
export async function createObject(api: JsonApi, kind: CreatedKind, call: CrmCall): Promise<Verdict<ObjectRef>> {
  const { creates, contacts } = api.description;
  const made = creates[kind];
  if (made === undefined) return { verdict: 'rejected', why: `Its description does not say how to make a ${kind}.` };
  const { type } = made;
  if (contacts?.find.some((one) => one.type === type) === true) {
    const known = await findContacts(api, contacts.find, call.number);
    if (known.verdict !== 'done') return known;
    const same = known.value.find((one) => one.type === type);
    if (same !== undefined) return done({ type, id: same.id });
  }
  const scope = { call: callScope(call) };
  const brought = await api.askAll(made.requests, scope);
  if (brought.verdict === 'gone') return { verdict: 'rejected', why: brought.why };
  if (brought.verdict !== 'done') return brought;
  const id = idOf(render(made.id, api.given({ ...scope, answer: brought.value?.answer ?? null })));
  return id === null ? unlike(made.id) : done({ type, id });
}

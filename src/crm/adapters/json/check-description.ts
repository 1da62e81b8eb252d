import type { Description } from './description-shape.js';
import { templatesIn, type RequestTemplate } from './request-shape.js';
import { namesOf } from './scopes.js';
import { parseTemplate } from './template.js';

export type Fault = { readonly place: readonly (string | number)[]; readonly fault: string };
type Place = Fault['place'];

const ANSWER = ['answer.*', 'answer'];
const ITEM = ['item.*', 'item'];
const call = [...namesOf.connection, ...namesOf.call];
const known = [...call, 'remoteId'];

/** What is wrong with a description beside its form: names that nobody knows there, and what would lose or double calls. */
export function faultsOf(description: Description): readonly Fault[] {
  const faults: Fault[] = [];
  const mapNames = Object.keys(description.maps);

  const template = (place: Place, text: string | undefined, names: readonly string[]): void => {
    if (text === undefined) return;
    const { parts, faults: wrong } = parseTemplate(text);
    wrong.forEach((fault) => faults.push({ place, fault }));
    for (const part of parts) {
      if (typeof part === 'string' || part.name === '') continue;
      if (!isKnown(part.name, names)) {
        faults.push({ place, fault: `${part.name} is nothing that is known here; there is ${told(names)}` });
      }
      for (const { name, argument } of part.filters) {
        if (name === 'map' && !mapNames.includes(argument))
          faults.push({ place, fault: `there is no map ${argument}` });
      }
    }
  };
  const request = (place: Place, one: RequestTemplate, names: readonly string[]): void => {
    const { templates, faults: wrong } = templatesIn(one);
    wrong.forEach(([at, fault]) => faults.push({ place: [...place, ...at], fault }));
    templates.forEach(([at, text]) => template([...place, ...at], text, names));
  };
  const all = (place: Place, list: readonly RequestTemplate[] | undefined, names: readonly string[]): void =>
    list?.forEach((one, at) => request([...place, at], one, names));

  const { test, contacts, creates, users, pop, call: ofCall, recording, note, task } = description;
  request(['test', 'request'], test.request, namesOf.connection);
  template(['test', 'account'], test.account, [...namesOf.connection, ...ANSWER]);
  contacts?.find.forEach(({ request: one, id, name, company, ownerId, numbers, url }, at) => {
    const place = ['contacts', 'find', at] as const;
    request([...place, 'request'], one, [...namesOf.connection, ...namesOf.number]);
    for (const [field, text] of Object.entries({ id, name, company, ownerId, url })) {
      template([...place, field], text, [...namesOf.connection, ...ITEM]);
    }
    numbers.forEach((text, i) => template([...place, 'numbers', i], text, ITEM));
    if (url !== undefined && !/^(https:\/\/|http:\/\/|\{\{connection\.url\}\}\/)/.test(url)) {
      faults.push({ place: [...place, 'url'], fault: 'must begin with https:// or {{connection.url}}/' });
    }
  });
  for (const [kind, made] of Object.entries(creates)) {
    all(['creates', kind, 'requests'], made.requests, call);
    template(['creates', kind, 'id'], made.id, [...call, ...ANSWER]);
  }
  if (users !== undefined) {
    request(['users', 'request'], users.request, namesOf.connection);
    const { id, name, email, extension, isActive } = users;
    for (const [field, text] of Object.entries({ id, name, email, extension, isActive: isActive?.value })) {
      template(['users', field], text, ITEM);
    }
  }
  all(['pop', 'requests'], pop?.requests, [...known, 'pop.userId']);
  const { find, read, create, update, correct, remove, live } = ofCall;
  const withText = read === undefined ? known : [...known, 'text'];
  if (find !== undefined) {
    request(['call', 'find', 'request'], find.request, call);
    template(['call', 'find', 'id'], find.id, [...call, ...ANSWER]);
  }
  if (read !== undefined) {
    request(['call', 'read', 'request'], read.request, known);
    template(['call', 'read', 'text'], read.text, ANSWER);
  }
  all(['call', 'create', 'requests'], create.requests, [...call, 'text', 'remoteId']);
  template(['call', 'create', 'id'], create.id, [...call, ...ANSWER]);
  template(['call', 'create', 'existingId'], create.existingId, [...call, ...ANSWER]);
  all(['call', 'update', 'requests'], update?.requests, withText);
  all(['call', 'correct', 'requests'], correct?.requests, withText);
  all(['call', 'remove', 'requests'], remove?.requests, ['remoteId', ...namesOf.connection]);
  all(['recording', 'link', 'requests'], recording.link?.requests, [...withText, ...namesOf.recording]);
  all(['recording', 'upload', 'requests'], recording.upload?.requests, [...known, ...namesOf.recording]);
  all(['note', 'requests'], note?.requests, [...known, 'note']);
  all(['task', 'create', 'requests'], task?.create.requests, [...call, ...namesOf.task]);
  template(['task', 'create', 'id'], task?.create.id, [...call, ...ANSWER]);
  all(['task', 'close', 'requests'], task?.close.requests, ['taskId', 'note', ...namesOf.connection]);

  const say = (place: Place, fault: string): number => faults.push({ place, fault });
  if (live && update === undefined) say(['call', 'update'], 'is needed where a call is live');
  if (create.isUpsert && update === undefined) say(['call', 'update'], 'is needed where create is an upsert');
  if (read !== undefined && update === undefined && correct === undefined) {
    say(['call', 'read'], 'is of no use where a call is never changed');
  }
  if (read === undefined && [update, correct].some((one) => one !== undefined && mentions(one, 'call.note'))) {
    say(['call', 'read'], 'is needed before a note may be written over what stands in the call: use {{text}}');
  }
  const knowsAgain = create.isUpsert || description.errors.some(({ verdict }) => verdict === 'exists');
  if (find === undefined && !knowsAgain) {
    say(
      ['call'],
      'would be there twice after a lost answer: it needs find, create.isUpsert, or an error with verdict exists',
    );
  }
  if (knowsAgain && find === undefined && update === undefined) {
    say(['call', 'update'], 'is needed for a call that is there already');
  }
  description.errors.forEach(({ status, at, includes }, index) => {
    if (status === undefined && at === undefined) say(['errors', index], 'needs status or at');
    if (includes !== undefined && at === undefined) say(['errors', index, 'includes'], 'needs at');
  });
  return faults;
}

function isKnown(name: string, names: readonly string[]): boolean {
  return names.some((one) => (one.endsWith('.*') ? name.startsWith(one.slice(0, -1)) : name === one));
}

function told(names: readonly string[]): string {
  return names.filter((name) => !name.endsWith('.*')).join(', ');
}

/** Whether a part of a description uses a value. */
export function mentions(part: unknown, name: string): boolean {
  return new RegExp(`\\{\\{\\s*${name.replaceAll('.', '\\.')}\\s*[|}]`).test(JSON.stringify(part ?? null));
}

import { z } from 'zod';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmCall, CrmRecording } from '../../port/crm-objects.js';
import { linesOfCall, recordingLine, withOwnLine, withOwnLines } from '../../port/own-lines.js';
import { done, type Failure, type Verdict } from '../../port/verdict.js';
import { ask, create, failureFrom, idShape, listOf, nameOf, timeOf, whereOf, type Filter } from './espocrm-api.js';
import type { EspocrmSettings } from './espocrm-settings.js';

const ids = z.array(z.string()).nullish();
const callShape = z.looseObject({
  id: idShape,
  status: z.string().nullish(),
  description: z.string().nullish(),
  assignedUserId: z.string().nullish(),
  parentType: z.string().nullish(),
  parentId: z.string().nullish(),
  usersIds: ids,
  contactsIds: ids,
  leadsIds: ids,
});
type Stored = z.output<typeof callShape>;

const DAY_MS = 86_400_000;

/**
 * By our id. The start bounds what has to be looked through, with a day for whoever moves the call in the calendar.
 * @returns the first that was made, should there be several
 */
export async function findCall(
  client: CrmClient,
  { idField }: EspocrmSettings,
  call: CrmCall,
): Promise<Verdict<string | null>> {
  const at = call.startedAt.getTime();
  const filters: readonly Filter[] =
    idField === null
      ? [
          { type: 'contains', attribute: 'description', value: call.id },
          { type: 'after', attribute: 'dateStart', value: timeOf(new Date(at - DAY_MS)) },
          { type: 'before', attribute: 'dateStart', value: timeOf(new Date(at + DAY_MS)) },
        ]
      : [{ type: 'equals', attribute: idField, value: call.id }];
  const query = { ...whereOf(filters), select: 'id', orderBy: 'createdAt', order: 'asc', maxSize: 1 };
  const found = await ask(client, { method: 'GET', path: '/Call', query }, listOf(z.object({ id: idShape })));
  return found.verdict === 'done' ? done(found.value.list[0]?.id ?? null) : found;
}

/** @param ownUserId of the API user: a call has to be somebody's */
export async function makeCall(
  client: CrmClient,
  settings: EspocrmSettings,
  call: CrmCall,
  ownUserId: string,
): Promise<Verdict<string>> {
  const fields = fieldsOf(settings, call, null, ownUserId);
  const made = await create(client, 'Call', fields);
  // Calls are not checked for duplicates unless an admin has that switched on, and then by what is no id of ours.
  if (made.verdict !== 'duplicate') return made;
  const forced = await create(client, 'Call', fields, { 'x-skip-duplicate-check': 'true' });
  return forced.verdict === 'duplicate'
    ? { verdict: 'rejected', why: 'EspoCRM takes it for a duplicate of another call.' }
    : forced;
}

/** What somebody wrote into it meanwhile is read first, and kept. */
export async function changeCall(
  client: CrmClient,
  settings: EspocrmSettings,
  remoteId: string,
  call: CrmCall,
  ownUserId: string,
): Promise<Verdict> {
  const current = await readCall(client, remoteId);
  if (current.verdict !== 'done') return current;
  return put(client, remoteId, fieldsOf(settings, call, current.value, ownUserId));
}

/** By a link in its own field or in the description. A second time it changes nothing. */
export async function linkRecording(
  client: CrmClient,
  { recordingUrlField }: EspocrmSettings,
  remoteId: string,
  url: string,
): Promise<Verdict> {
  if (recordingUrlField !== null) return put(client, remoteId, { [recordingUrlField]: url });
  const current = await readCall(client, remoteId);
  if (current.verdict !== 'done') return current;
  const before = current.value.description ?? '';
  const description = withOwnLine(before, recordingLine(url));
  return description === before ? done() : put(client, remoteId, { description });
}

/** An attachment in the call's file field. One of the same name is there already when it is given again. */
export async function uploadRecording(
  client: CrmClient,
  field: string,
  remoteId: string,
  { fileName, contentType, read }: CrmRecording,
): Promise<Verdict> {
  const current = await readCall(client, remoteId);
  if (current.verdict !== 'done') return current;
  if (current.value[`${field}Name`] === fileName) return done();
  const file = `data:${contentType};base64,${Buffer.from(await read()).toString('base64')}`;
  const attachment = { name: fileName, type: contentType, role: 'Attachment', relatedType: 'Call', field, file };
  const made = await create(client, 'Attachment', attachment);
  if (made.verdict === 'duplicate') return { verdict: 'rejected', why: 'EspoCRM takes the file for a duplicate.' };
  return made.verdict === 'done' ? put(client, remoteId, { [`${field}Id`]: made.value }) : made;
}

/** Gone already is as good. */
export async function removeCall(client: CrmClient, remoteId: string): Promise<Verdict> {
  const failure = failureFrom(await client.request({ method: 'DELETE', path: pathOf(remoteId) }));
  return failure === null || failure.verdict === 'gone' ? done() : failure;
}

function readCall(client: CrmClient, remoteId: string): Promise<Verdict<Stored>> {
  return ask(client, { method: 'GET', path: pathOf(remoteId) }, callShape);
}

async function put(client: CrmClient, remoteId: string, json: object): Promise<Verdict> {
  const failure: Failure | null = failureFrom(
    await client.request({ method: 'PUT', path: pathOf(remoteId), body: { json } }),
  );
  return failure ?? done();
}

function pathOf(remoteId: string): string {
  return `/Call/${encodeURIComponent(remoteId)}`;
}

/**
 * @param current as it is there; null: to be made. Title, status and owner are ours until the call is over there; then they are
 *   whoever's who works with it.
 */
function fieldsOf(settings: EspocrmSettings, call: CrmCall, current: Stored | null, ownUserId: string): object {
  const { idField, recordingUrlField } = settings;
  const isOpen = current === null || current.status === 'Planned';
  return {
    ...call.fields,
    ...(isOpen && {
      name: nameOf(call.subject),
      status: statusOf(call),
      assignedUserId: call.userId ?? current?.assignedUserId ?? ownUserId,
    }),
    direction: call.direction === 'inbound' ? 'Inbound' : 'Outbound',
    dateStart: timeOf(call.startedAt),
    // One is wanted from the beginning, and none before the start.
    dateEnd: timeOf(new Date(Math.max(call.endedAt?.getTime() ?? 0, call.startedAt.getTime()))),
    description: withOwnLines(
      current?.description ?? null,
      linesOfCall(call, { id: idField === null, recording: recordingUrlField === null }),
    ),
    ...(idField !== null && { [idField]: call.id }),
    ...(recordingUrlField !== null && call.recordingUrl !== null && { [recordingUrlField]: call.recordingUrl }),
    ...attendeesOf(call, current),
  };
}

/** While it goes on it is among the planned ones: EspoCRM has no other word for what is not over. */
function statusOf({ status, outcome }: CrmCall): 'Planned' | 'Held' | 'Not Held' {
  if (status !== 'ended') return 'Planned';
  return outcome === 'answered' ? 'Held' : 'Not Held';
}

/** Whose call it is and with whom. Others whom somebody added stay; a contact that turned out to be the wrong one goes. */
function attendeesOf(call: CrmCall, current: Stored | null): object {
  const users = call.people.flatMap(({ part, userId }) => (part === 'answered' && userId !== null ? [userId] : []));
  const usersIds = union(current?.usersIds, call.userId === null ? users : [...users, call.userId]);
  const { contact } = call;
  if (contact === null) return { usersIds };
  const wrong = isPerson(current?.parentType) && current?.parentId !== contact.id ? current?.parentId : null;
  const withoutWrong = (list: Stored['contactsIds']): readonly string[] => (list ?? []).filter((id) => id !== wrong);
  return {
    usersIds,
    contactsIds: union(withoutWrong(current?.contactsIds), contact.type === 'Contact' ? [contact.id] : []),
    leadsIds: union(withoutWrong(current?.leadsIds), contact.type === 'Lead' ? [contact.id] : []),
    ...(isParentOurs(current, contact.type) && { parentType: contact.type, parentId: contact.id }),
  };
}

/** A deal or a case that somebody chose stays, and so does the company of a contact. */
function isParentOurs(current: Stored | null, type: string): boolean {
  const parent = current?.parentType ?? null;
  return parent === null || isPerson(parent) || (parent === 'Account' && type === 'Account');
}

function isPerson(type: string | null | undefined): boolean {
  return type === 'Contact' || type === 'Lead';
}

function union(have: readonly string[] | null | undefined, more: readonly string[]): readonly string[] {
  return [...new Set([...(have ?? []), ...more])];
}

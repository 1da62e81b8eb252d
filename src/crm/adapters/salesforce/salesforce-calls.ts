import { z } from 'zod';
import { cut } from '../../port/cut.js';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmCall, CrmTask, ObjectRef } from '../../port/crm-objects.js';
import { linesOfCall } from '../../port/own-lines.js';
import { done, type Verdict } from '../../port/verdict.js';
import { ask, change, idShape, recordPath, textShape, upsert } from './salesforce-api.js';
import type { SalesforceSettings } from './salesforce-settings.js';
import { descriptionWith, descriptionWithLine } from './salesforce-text.js';

const TEXT = 255;

const taskShape = z.object({ Id: idShape, Description: textShape, IsClosed: z.boolean().nullish().catch(null) });
type Stored = z.output<typeof taskShape>;
const fields = 'Id,Description,IsClosed';

/** @returns null when it is not there */
async function read(client: CrmClient, ...parts: readonly string[]): Promise<Verdict<Stored | null>> {
  const request = { method: 'GET', path: recordPath('Task', ...parts), query: { fields } } as const;
  const task = await ask(client, request, taskShape);
  return task.verdict === 'gone' ? done(null) : task;
}

/** Made complete. Read first: after a lost answer it may be there, and somebody may have written into it. */
export async function makeCall(
  client: CrmClient,
  settings: SalesforceSettings,
  call: CrmCall,
): Promise<Verdict<string>> {
  const known = await read(client, settings.idField, call.id);
  if (known.verdict !== 'done') return known;
  if (known.value !== null) return write(client, settings, known.value, call);
  // Set when it is made, and never again: Salesforce refuses a change of it.
  return upsert(client, settings.idField, call.id, { ...fieldsOf(settings, call, null), TaskSubtype: 'Call' });
}

export async function changeCall(
  client: CrmClient,
  settings: SalesforceSettings,
  remoteId: string,
  call: CrmCall,
): Promise<Verdict<string>> {
  const known = await read(client, remoteId);
  if (known.verdict !== 'done') return known;
  if (known.value === null) return { verdict: 'gone', why: `Salesforce has no task ${remoteId} any more.` };
  return write(client, settings, known.value, call);
}

async function write(
  client: CrmClient,
  settings: SalesforceSettings,
  known: Stored,
  call: CrmCall,
): Promise<Verdict<string>> {
  const changed = await change(client, 'Task', known.Id, fieldsOf(settings, call, known));
  return changed.verdict === 'done' ? done(known.Id) : changed;
}

/** After the call is over, its title, result, status and owner belong to whoever works with it; a result chosen in Ringline goes there. */
function fieldsOf(settings: SalesforceSettings, call: CrmCall, known: Stored | null): Record<string, unknown> {
  const { openStatus, closedStatus, recordingField, numberField, startedAtField } = settings;
  const { number, userId, status, recordingUrl } = call;
  const isOver = status === 'ended';
  const outside = number.e164 ?? number.raw;
  const theirs = known?.IsClosed === true && isOver;
  return {
    Description: descriptionWith(
      known?.Description ?? null,
      linesOfCall(call, { id: false, recording: recordingField === null }),
    ),
    CallType: { inbound: 'Inbound', outbound: 'Outbound', internal: 'Internal' }[call.direction],
    CallObject: call.id,
    ActivityDate: call.startedAt.toISOString().slice(0, 10),
    ...(isOver && { CallDurationInSeconds: Math.round(call.talkSeconds) }),
    ...(isOver &&
      (!theirs || call.disposition !== null) && { CallDisposition: cut(call.disposition ?? wordOf(call), TEXT) }),
    ...(!theirs && {
      Subject: cut(call.subject, TEXT),
      Status: isOver ? closedStatus : openStatus,
      ...(userId !== null && { OwnerId: userId }),
    }),
    ...whoOrWhat(call.contact),
    ...(numberField !== null && { [numberField]: outside === '' ? null : cut(outside, 40) }),
    ...(startedAtField !== null && { [startedAtField]: call.startedAt.toISOString() }),
    ...(recordingField !== null && recordingUrl !== null && { [recordingField]: recordingUrl }),
    ...call.fields,
  };
}

/** People in one field, what is about companies in the other. */
function whoOrWhat(contact: ObjectRef | null): Record<string, string> {
  if (contact === null) return {};
  return contact.type === 'Contact' || contact.type === 'Lead' ? { WhoId: contact.id } : { WhatId: contact.id };
}

function wordOf({ outcome }: CrmCall): string {
  switch (outcome) {
    case 'answered':
      return 'Answered';
    case 'missed':
      return 'Missed';
    case 'no-answer':
      return 'No Answer';
    case 'busy':
      return 'Busy';
    case 'rejected':
      return 'Rejected';
    case 'cancelled':
      return 'Canceled';
    case 'blocked':
      return 'Blocked';
    case 'voicemail':
      return 'Voicemail';
    case 'failed':
    case null:
      return 'Failed';
  }
}

export async function linkRecording(
  client: CrmClient,
  field: string,
  remoteId: string,
  url: string | null,
): Promise<Verdict> {
  if (url === null) return { verdict: 'rejected', why: 'Salesforce holds a link, and rule recordings gives none.' };
  return change(client, 'Task', remoteId, { [field]: url });
}

export async function removeCall(client: CrmClient, remoteId: string): Promise<Verdict> {
  const removed = await ask(client, { method: 'DELETE', path: recordPath('Task', remoteId) }, z.unknown());
  return removed.verdict === 'done' ? done() : removed;
}

/** One for a call, however often it is asked for. */
export function createTask(
  client: CrmClient,
  { idField }: SalesforceSettings,
  call: CrmCall,
  task: CrmTask,
): Promise<Verdict<string>> {
  return upsert(client, idField, `task-${call.id}`, {
    Subject: cut(task.subject, TEXT),
    Description: descriptionWith(
      null,
      task.text.split('\n').map((line) => cut(line, 1000)),
    ),
    OwnerId: task.userId,
    Status: 'Not Started',
    Priority: 'Normal',
    ActivityDate: task.dueAt.toISOString().slice(0, 10),
    IsReminderSet: true,
    ReminderDateTime: task.dueAt.toISOString(),
    ...whoOrWhat(call.contact),
  });
}

export async function closeTask(
  client: CrmClient,
  { closedStatus }: SalesforceSettings,
  taskId: string,
  text: string,
): Promise<Verdict> {
  const known = await read(client, taskId);
  if (known.verdict !== 'done') return known;
  if (known.value === null) return { verdict: 'gone', why: `Salesforce has no task ${taskId} any more.` };
  const Description = descriptionWithLine(known.value.Description ?? null, cut(text, TEXT));
  return change(client, 'Task', known.value.Id, { Status: closedStatus, Description });
}

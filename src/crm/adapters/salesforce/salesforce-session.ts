import { z } from 'zod';
import type { CrmSession } from '../../port/crm-adapter.js';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmUser } from '../../port/crm-objects.js';
import { done, type Verdict } from '../../port/verdict.js';
import { idShape, query, queryAll, textShape } from './salesforce-api.js';
import { changeCall, closeTask, createTask, linkRecording, makeCall, removeCall } from './salesforce-calls.js';
import { createObject, findContacts, listContacts } from './salesforce-contacts.js';
import { siteOf, type SalesforceSettings } from './salesforce-settings.js';

export function salesforceSession(client: CrmClient, settings: SalesforceSettings): CrmSession {
  const site = siteOf(settings);
  const { recordingField } = settings;
  return {
    test: () => test(client, settings),
    findContacts: (number) => findContacts(client, site, number),
    listContacts: (cursor) => listContacts(client, site, cursor),
    listUsers: () => listUsers(client),
    openCall: (call) => makeCall(client, settings, call),
    updateCall: async (remoteId, call) => {
      const changed = await changeCall(client, settings, remoteId, call);
      return changed.verdict === 'done' ? done() : changed;
    },
    closeCall: (remoteId, call) =>
      remoteId === null ? makeCall(client, settings, call) : changeCall(client, settings, remoteId, call),
    ...(recordingField !== null && {
      attachRecording: (remoteId, _call, { url }) => linkRecording(client, recordingField, remoteId, url),
    }),
    createObject: (kind, call) => createObject(client, kind, call),
    createTask: (call, task) => createTask(client, settings, call, task),
    closeTask: (taskId, text) => closeTask(client, settings, taskId, text),
    removeCall: (remoteId) => removeCall(client, remoteId),
  };
}

/** Whose organization it is, and whether the fields are there that the settings name. */
async function test(client: CrmClient, settings: SalesforceSettings): Promise<Verdict<string>> {
  const { idField, recordingField, numberField, startedAtField } = settings;
  const organizations = await query(client, 'SELECT Name FROM Organization LIMIT 1', z.object({ Name: textShape }));
  if (organizations.verdict !== 'done') return organizations;
  const fields = [idField, recordingField, numberField, startedAtField].filter((field) => field !== null);
  const tasks = await query(client, `SELECT Id, ${fields.join(', ')} FROM Task LIMIT 1`, z.unknown());
  if (tasks.verdict !== 'done') return tasks;
  return done(`${organizations.value[0]?.Name ?? 'an organization'} (${siteOf(settings)})`);
}

const userShape = z.object({
  Id: idShape,
  Name: textShape,
  Email: textShape,
  Extension: textShape,
  IsActive: z.boolean().catch(true),
});

async function listUsers(client: CrmClient): Promise<Verdict<readonly CrmUser[]>> {
  const soql = "SELECT Id, Name, Email, Extension, IsActive FROM User WHERE UserType = 'Standard' ORDER BY Id";
  const users = await queryAll(client, soql, userShape);
  if (users.verdict !== 'done') return users;
  return done(
    users.value.map(({ Id, Name, Email, Extension, IsActive }) => ({
      id: Id,
      name: Name ?? Id,
      email: Email ?? null,
      extension: Extension ?? null,
      isActive: IsActive,
    })),
  );
}

import type { CrmSession } from '../../port/crm-adapter.js';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmCall } from '../../port/crm-objects.js';
import { done, type Verdict } from '../../port/verdict.js';
import {
  changeActivity,
  closeTask,
  createTask,
  findActivity,
  linkRecording,
  makeActivity,
  removeActivity,
} from './pipedrive-activities.js';
import { findCallLog, makeCallLog, removeCallLog, uploadRecording } from './pipedrive-call-logs.js';
import { createObject, findPeople, listPeople, listUsers, readMe } from './pipedrive-people.js';
import { siteOf, type PipedriveSettings } from './pipedrive-settings.js';

export function pipedriveSession(client: CrmClient, settings: PipedriveSettings): CrmSession {
  const site = siteOf(settings);
  return {
    test: () => readMe(client),
    findContacts: (number) => findPeople(client, site, number),
    listContacts: (cursor) => listPeople(client, site, cursor),
    listUsers: () => listUsers(client),
    createObject: (kind, call) => createObject(client, site, kind, call),
    createTask: (call, task) => createTask(client, call, task),
    closeTask: (taskId, text) => closeTask(client, taskId, text),
    ...(settings.mode === 'call-log' ? callLogSteps(client) : activitySteps(client, settings.activityType)),
  };
}

type CallSteps = Pick<CrmSession, 'closeCall' | 'findCall' | 'removeCall' | 'attachRecording'>;

function callLogSteps(client: CrmClient): CallSteps {
  return {
    findCall: (call) => findCallLog(client, call),
    // What is there stays as it is.
    closeCall: (remoteId, call) =>
      remoteId === null ? makeCallLog(client, call) : Promise.resolve(done<string>(remoteId)),
    attachRecording: (remoteId, _call, recording) => uploadRecording(client, remoteId, recording),
    removeCall: (remoteId) => removeCallLog(client, remoteId),
  };
}

function activitySteps(client: CrmClient, type: string): CallSteps & Pick<CrmSession, 'openCall' | 'updateCall'> {
  return {
    findCall: (call) => findActivity(client, call),
    openCall: (call) => makeActivity(client, type, call),
    updateCall: (remoteId, call) => changeActivity(client, remoteId, call),
    closeCall: (remoteId, call) => closeActivity(client, type, remoteId, call),
    attachRecording: (remoteId, _call, { url }) => linkRecording(client, remoteId, url),
    removeCall: (remoteId) => removeActivity(client, remoteId),
  };
}

async function closeActivity(
  client: CrmClient,
  type: string,
  remoteId: string | null,
  call: CrmCall,
): Promise<Verdict<string>> {
  if (remoteId === null) return makeActivity(client, type, call);
  const changed = await changeActivity(client, remoteId, call);
  return changed.verdict === 'done' ? done(remoteId) : changed;
}

import type { CrmSession } from '../../port/crm-adapter.js';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmCall } from '../../port/crm-objects.js';
import { done, type Verdict } from '../../port/verdict.js';
import { attachRecording, correctCall, findCall, makeCall, removeCall, updateCall } from './json-calls.js';
import { JsonApi, unlike } from './json-api.js';
import { createObject, findContacts, listUsers } from './json-contacts.js';
import { siteOf, type JsonSettings } from './json-settings.js';
import { callScope, taskScope } from './scopes.js';
import { render, renderText } from './template.js';
import { idOf } from './values.js';

/** The steps that the description says how to do, and no other. */
export function openSession(client: CrmClient, settings: JsonSettings): CrmSession {
  const { description } = settings;
  const api = new JsonApi(client, siteOf(settings), description);
  const { contacts, creates, users, pop, call, recording, note, task } = description;
  return {
    test: () => test(api),
    closeCall: (remoteId, ended) => closeCall(api, remoteId, ended),
    ...(contacts && { findContacts: (number) => findContacts(api, contacts.find, number) }),
    ...(users && { listUsers: () => listUsers(api) }),
    ...(pop && {
      popScreen: async (ringing, userIds, remoteId) => {
        for (const userId of userIds) {
          const shown = await api.change(pop.requests, { call: callScope(ringing), remoteId, pop: { userId } });
          if (shown.verdict !== 'done') return shown;
        }
        return done();
      },
    }),
    ...(call.find && { findCall: (one) => findCall(api, one) }),
    ...(call.live && { openCall: (ringing) => makeCall(api, ringing) }),
    ...((call.update ?? call.correct) && {
      updateCall: (remoteId, changed) => correctCall(api, remoteId, changed),
    }),
    ...((recording.link ?? recording.upload) && {
      attachRecording: (remoteId, ended, one) => attachRecording(api, remoteId, ended, one),
    }),
    ...(note && {
      addNote: async (remoteId, ended, text) => {
        const added = await api.change(note.requests, { call: callScope(ended), remoteId, note: text });
        return added.verdict === 'done' ? done('kept') : added;
      },
    }),
    ...(Object.keys(creates).length > 0 && { createObject: (kind, of) => createObject(api, kind, of) }),
    ...(task && {
      createTask: async (of, wanted) => {
        const scope = { call: callScope(of), task: taskScope(wanted) };
        const brought = await api.askAll(task.create.requests, scope);
        if (brought.verdict === 'gone') return { verdict: 'rejected', why: brought.why };
        if (brought.verdict !== 'done') return brought;
        const answer = brought.value?.answer ?? null;
        const id = idOf(render(task.create.id, api.given({ ...scope, answer })));
        return id === null ? unlike(task.create.id) : done(id);
      },
      closeTask: (taskId, text) => api.change(task.close.requests, { taskId, note: text }),
    }),
    ...(call.remove && { removeCall: (remoteId) => removeCall(api, remoteId) }),
  };
}

async function test(api: JsonApi): Promise<Verdict<string>> {
  const { request, account } = api.description.test;
  const brought = await api.ask(request, {});
  if (brought.verdict !== 'done') return brought;
  const { answer } = brought.value;
  const name = renderText(account, api.given({ answer }))?.trim() ?? '';
  return name === '' ? unlike(account) : done(name);
}

async function closeCall(api: JsonApi, remoteId: string | null, call: CrmCall): Promise<Verdict<string>> {
  if (remoteId === null || api.description.call.update === undefined) {
    return remoteId === null ? makeCall(api, call) : done(remoteId);
  }
  const closed = await updateCall(api, remoteId, call);
  return closed.verdict === 'done' ? done(remoteId) : closed;
}

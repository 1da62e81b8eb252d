import type { CrmCall, CrmRecording } from '../../port/crm-objects.js';
import { linesOfCall, recordingLine, withOwnLine, withOwnLines } from '../../port/own-lines.js';
import { done, type Verdict } from '../../port/verdict.js';
import { mentions } from './check-description.js';
import type { Upload } from './fill-request.js';
import { unlike, type JsonApi } from './json-api.js';
import { callScope } from './scopes.js';
import { render } from './template.js';
import { idOf, textOf, type Value } from './values.js';

/** By our id; null: it is not there. */
export async function findCall(api: JsonApi, call: CrmCall): Promise<Verdict<string | null>> {
  const { find } = api.description.call;
  if (find === undefined) return done(null);
  const scope = { call: callScope(call) };
  const brought = await api.ask(find.request, scope);
  if (brought.verdict === 'gone') return done(null);
  if (brought.verdict !== 'done') return brought;
  const { answer } = brought.value;
  if (typeof answer !== 'object' || answer === null) return unlike(find.id);
  return done(idOf(render(find.id, api.given({ ...scope, answer }))));
}

/** Made once: looked for first, or known again by the CRM. */
export async function makeCall(api: JsonApi, call: CrmCall): Promise<Verdict<string>> {
  const { create, update } = api.description.call;
  const found = await findCall(api, call);
  if (found.verdict !== 'done') return found;
  if (found.value !== null) return changed(api, found.value, call);
  const [first, ...more] = create.requests;
  if (first === undefined) return { verdict: 'rejected', why: 'Its description does not say how to make a call.' };
  const scope = { call: callScope(call), text: newText(api, call) };
  const brought = await api.ask(first, scope);
  if (brought.verdict === 'gone') return { verdict: 'rejected', why: brought.why };
  if (brought.verdict !== 'done') return brought;
  const { answer, exists } = brought.value;
  const template = exists ? (create.existingId ?? create.id) : create.id;
  const id = idOf(render(template, api.given({ ...scope, answer })));
  if (id === null) return unlike(template);
  if (update !== undefined && (exists || create.isUpsert)) return changed(api, id, call);
  const rest = await api.askAll(more, { ...scope, remoteId: id });
  return rest.verdict === 'done' ? done(id) : rest;
}

async function changed(api: JsonApi, id: string, call: CrmCall): Promise<Verdict<string>> {
  if (api.description.call.update === undefined) return done(id);
  const updated = await updateCall(api, id, call);
  return updated.verdict === 'done' ? done(id) : updated;
}

/** What somebody wrote into it is read first, and kept. */
export async function updateCall(
  api: JsonApi,
  remoteId: string,
  call: CrmCall,
  by = api.description.call.update,
): Promise<Verdict> {
  if (by === undefined) return { verdict: 'rejected', why: 'Its description does not say how to change a call.' };
  const text = await textAfter(api, remoteId, call, by, (current) => withOwnLines(current, linesOf(api, call)));
  if (text.verdict !== 'done') return text;
  return api.change(by.requests, { call: callScope(call), remoteId, text: text.value });
}

/** After its end it is corrected in its own way where there is one: what somebody has changed since may be theirs. */
export function correctCall(api: JsonApi, remoteId: string, call: CrmCall): Promise<Verdict> {
  const { update, correct } = api.description.call;
  return updateCall(api, remoteId, call, call.status === 'ended' ? (correct ?? update) : update);
}

export async function attachRecording(
  api: JsonApi,
  remoteId: string,
  call: CrmCall,
  recording: CrmRecording,
): Promise<Verdict> {
  const { link, upload } = api.description.recording;
  const { id, fileName, contentType, durationSeconds, url } = recording;
  const by = url !== null ? (link ?? upload) : upload;
  if (by === undefined) return { verdict: 'rejected', why: 'Its description does not say how to attach this.' };
  const text = await textAfter(api, remoteId, call, by, (current) =>
    url === null ? current : withOwnLine(current, recordingLine(url)),
  );
  if (text.verdict !== 'done') return text;
  const isUpload = by === upload;
  const bytes = isUpload ? await recording.read() : null;
  const file: Upload | null = bytes === null ? null : { fileName, contentType, bytes };
  const base64 = bytes !== null && mentions(by, 'recording.base64') ? Buffer.from(bytes).toString('base64') : null;
  const scope = { call: callScope(call), remoteId, text: text.value };
  return api.change(
    by.requests,
    { ...scope, recording: { id, fileName, contentType, durationSeconds, url, base64 } },
    file,
  );
}

/** Gone already is as good. */
export async function removeCall(api: JsonApi, remoteId: string): Promise<Verdict> {
  const verdict = await api.change(api.description.call.remove?.requests ?? [], { remoteId });
  return verdict.verdict === 'gone' ? done() : verdict;
}

/** The call's own text as it is to be; read only where requests want it. */
async function textAfter(
  api: JsonApi,
  remoteId: string,
  call: CrmCall,
  by: object,
  change: (current: string) => string,
): Promise<Verdict<Value>> {
  const { read } = api.description.call;
  if (read === undefined || !mentions(by, 'text')) return done(null);
  const brought = await api.ask(read.request, { call: callScope(call), remoteId });
  if (brought.verdict !== 'done') return brought;
  const { answer } = brought.value;
  if (typeof answer !== 'object' || answer === null) return unlike(read.text);
  return done(change(textOf(render(read.text, api.given({ answer })))));
}

function newText(api: JsonApi, call: CrmCall): string {
  return withOwnLines(null, linesOf(api, call));
}

function linesOf({ description }: JsonApi, call: CrmCall): readonly string[] {
  const { note, recording } = description;
  const told = note === undefined ? call : { ...call, note: null };
  return linesOfCall(told, { id: description.call.textHasId, recording: mentions(recording.link, 'text') });
}

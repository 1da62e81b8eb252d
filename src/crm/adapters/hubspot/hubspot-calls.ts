import { z } from 'zod';
import { cut } from '../../port/cut.js';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmCall } from '../../port/crm-objects.js';
import { withOwnHtmlLines } from '../../port/own-lines-html.js';
import { linesOfCall } from '../../port/own-lines.js';
import { done, type Verdict } from '../../port/verdict.js';
import {
  ask,
  associate,
  change,
  ID_PROPERTY,
  objectsPath,
  readRecord,
  upsert,
  type HubspotRecord,
} from './hubspot-api.js';
import { idPropertyOf } from './hubspot-id-property.js';

const BODY = 'hs_call_body';
const STATUS = 'hs_call_status';
/** Of a call that is not over. */
const going: readonly string[] = ['RINGING', 'IN_PROGRESS', 'CONNECTING', 'QUEUED', 'CALLING_CRM_USER'];
const BODY_LENGTH = 65_536;
const TITLE_LENGTH = 255;
const HOUR = 3600;

/** HubSpot's own, the same in every account. */
const standard = {
  busy: '9d9162e7-6cf3-4944-bf63-4dff82258764',
  connected: 'f240bbac-87c9-4f6e-bf70-924b57d47db7',
  leftVoicemail: 'b2cf5968-551e-4856-9783-52b3da59a7d0',
  noAnswer: '73a0d17f-1163-4015-bdd5-ec830791da20',
} as const;

/** Made complete. Read first: after a lost answer it may be there, and an agent may have written into it. */
export async function makeCall(client: CrmClient, call: CrmCall): Promise<Verdict<string>> {
  const ready = await idPropertyOf(client, 'calls');
  if (ready.verdict !== 'done') return ready;
  const known = await readRecord(client, 'calls', call.id, [BODY, STATUS], ID_PROPERTY);
  if (known.verdict !== 'done') return known;
  const disposition = await dispositionOf(client, call);
  if (disposition.verdict !== 'done') return disposition;
  const properties = propertiesOf(call, known.value, disposition.value);
  const made = await upsert(client, 'calls', call.id, properties);
  if (made.verdict !== 'done') return made;
  const placed = await associate(client, 'calls', made.value, call.contact);
  return placed.verdict === 'done' ? made : placed;
}

export async function changeCall(client: CrmClient, remoteId: string, call: CrmCall): Promise<Verdict> {
  const known = await readRecord(client, 'calls', remoteId, [BODY, STATUS]);
  if (known.verdict !== 'done') return known;
  if (known.value === null) return { verdict: 'gone', why: `HubSpot has no call ${remoteId} any more.` };
  const disposition = await dispositionOf(client, call);
  if (disposition.verdict !== 'done') return disposition;
  const properties = propertiesOf(call, known.value, disposition.value);
  const changed = await change(client, 'calls', remoteId, properties);
  return changed.verdict === 'done' ? associate(client, 'calls', remoteId, call.contact) : changed;
}

/** After the call is over, its title, outcome and owner belong to whoever works with it; an outcome chosen in Ringline goes there. */
function propertiesOf(call: CrmCall, known: HubspotRecord | null, disposition: string | null): Record<string, string> {
  const { direction, number, line, userId, talkSeconds, recordingUrl } = call;
  const outside = number.e164 ?? number.raw;
  const [from, to] = direction === 'inbound' ? [outside, line?.number ?? ''] : [line?.number ?? '', outside];
  const was = known?.properties[STATUS];
  const isTheirs = was != null && !going.includes(was) && call.status === 'ended';
  const body = known?.properties[BODY] ?? null;
  return {
    hs_timestamp: call.startedAt.toISOString(),
    [BODY]: withOwnHtmlLines(body, linesOfCall(call, { id: false, recording: false }), BODY_LENGTH),
    // It knows no third: whoever calls a colleague calls out.
    hs_call_direction: direction === 'inbound' ? 'INBOUND' : 'OUTBOUND',
    [STATUS]: statusOf(call),
    hs_call_duration: String(Math.round(talkSeconds * 1000)),
    hs_call_source: 'INTEGRATIONS_PLATFORM',
    ...(from !== '' && { hs_call_from_number: from }),
    ...(to !== '' && { hs_call_to_number: to }),
    ...(!isTheirs && {
      hs_call_title: cut(call.subject, TITLE_LENGTH),
      ...(userId !== null && { hubspot_owner_id: userId }),
    }),
    ...(disposition !== null && (!isTheirs || call.disposition !== null) && { hs_call_disposition: disposition }),
    // Others it refuses, and the call with them.
    ...(recordingUrl?.startsWith('https://') === true && { hs_call_recording_url: recordingUrl }),
    ...Object.fromEntries(Object.entries(call.fields).map(([name, value]) => [name, String(value)])),
  };
}

function statusOf({ status, outcome }: CrmCall): string {
  if (status === 'ringing') return 'RINGING';
  if (status === 'talking') return 'IN_PROGRESS';
  switch (outcome) {
    case 'answered':
      return 'COMPLETED';
    case 'busy':
      return 'BUSY';
    case 'failed':
      return 'FAILED';
    case 'cancelled':
    case 'blocked':
      return 'CANCELED';
    case 'missed':
    case 'no-answer':
    case 'rejected':
    case 'voicemail':
    case null:
      return 'NO_ANSWER';
  }
}

function standardDispositionOf({ outcome }: CrmCall): string | null {
  switch (outcome) {
    case 'answered':
      return standard.connected;
    case 'busy':
      return standard.busy;
    case 'voicemail':
      return standard.leftVoicemail;
    case 'missed':
    case 'no-answer':
    case 'rejected':
      return standard.noAnswer;
    case 'failed':
    case 'cancelled':
    case 'blocked':
    case null:
      return null;
  }
}

const GUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
const dispositionsShape = z.array(z.object({ id: z.string(), label: z.string(), deleted: z.boolean().catch(false) }));

/** A GUID, or a name that the account has for one. What it does not know stands in the text alone. */
async function dispositionOf(client: CrmClient, call: CrmCall): Promise<Verdict<string | null>> {
  const { disposition } = call;
  if (call.status !== 'ended') return done(null);
  if (disposition === null) return done(standardDispositionOf(call));
  if (GUID.test(disposition)) return done(disposition.toLowerCase());
  const listed = await client.remember('dispositions', HOUR, () =>
    ask(client, { method: 'GET', path: '/calling/v1/dispositions' }, dispositionsShape),
  );
  // Without the right to read them a call is told of all the same.
  if (listed.verdict === 'rejected' || listed.verdict === 'gone') return done(standardDispositionOf(call));
  if (listed.verdict !== 'done') return listed;
  const wanted = disposition.toLowerCase();
  const known = listed.value.find(({ label, deleted }) => !deleted && label.toLowerCase() === wanted);
  return done(known?.id ?? standardDispositionOf(call));
}

/** HubSpot's player asks for it in parts, which our links give (206). */
export async function linkRecording(client: CrmClient, remoteId: string, url: string | null): Promise<Verdict> {
  if (url === null)
    return { verdict: 'rejected', why: 'HubSpot plays recordings from a link; rule recordings gives none.' };
  return change(client, 'calls', remoteId, { hs_call_recording_url: url });
}

export async function removeCall(client: CrmClient, remoteId: string): Promise<Verdict> {
  const path = `${objectsPath('calls')}/${encodeURIComponent(remoteId)}`;
  const removed = await ask(client, { method: 'DELETE', path }, z.unknown());
  return removed.verdict === 'done' ? done() : removed;
}

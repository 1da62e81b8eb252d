import { z } from 'zod';
import type { CreatedKind } from '../../port/crm-adapter.js';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmCall, ObjectRef } from '../../port/crm-objects.js';
import { done, type Verdict } from '../../port/verdict.js';
import { ask, idSchema, listOf, secondsOf, shownNumberOf } from './amocrm-api.js';
import { SOURCE } from './amocrm-calls.js';
import { findCards } from './amocrm-cards.js';
import type { AmocrmSettings } from './amocrm-settings.js';

const unsortedSchema = z
  .object({
    uid: z.string().min(1),
    source_uid: z.string().nullish(),
    metadata: z.object({ link: z.string().nullish() }).nullish().catch(null),
    _embedded: z.object({ leads: z.array(z.object({ id: idSchema })).optional() }).optional(),
  })
  .transform(({ uid, source_uid: sourceUid, metadata, _embedded: embedded }) => ({
    uid,
    sourceUid,
    leadId: embedded?.leads?.[0]?.id,
    link: metadata?.link ?? null,
  }));
const unsortedListSchema = listOf('unsorted', unsortedSchema);

/** An incoming lead that holds the call until somebody takes it or declines it. One for each call. */
export async function createUnsorted(
  client: CrmClient,
  { pipelineId, serviceCode }: Pick<AmocrmSettings, 'pipelineId' | 'serviceCode'>,
  call: CrmCall,
): Promise<Verdict<ObjectRef>> {
  // It is made with the call in it, and no call can be changed.
  if (call.status !== 'ended') return { verdict: 'retry', why: 'An unsorted call is made when the call is over.' };
  if (call.direction !== 'inbound')
    return { verdict: 'rejected', why: 'amoCRM takes incoming calls as unsorted, no others.' };
  const made = await findUnsorted(client, call);
  if (made.verdict !== 'done') return made;
  if (made.value !== null) return done(made.value);
  const unsorted = {
    request_id: call.id,
    source_uid: call.id,
    source_name: SOURCE,
    ...(pipelineId !== undefined && { pipeline_id: pipelineId }),
    created_at: secondsOf(call.startedAt),
    metadata: {
      from: call.line?.name ?? SOURCE,
      phone: shownNumberOf(call),
      called_at: secondsOf(call.startedAt),
      duration: call.outcome === 'answered' ? Math.round(call.talkSeconds) : 0,
      link: call.recordingUrl ?? '',
      service_code: serviceCode,
      is_call_event_needed: true,
      uniq: call.id,
      ...(call.userId !== null && { call_responsible: Number(call.userId) }),
    },
    _embedded: { leads: [{ name: call.subject }], contacts: [contactOf(call)] },
  };
  const path = '/api/v4/leads/unsorted/sip';
  const added = await ask(client, { method: 'POST', path, json: [unsorted] }, unsortedListSchema);
  if (added.verdict !== 'done') return added;
  const first = added.value?.[0];
  if (first === undefined) return { verdict: 'retry', why: 'amoCRM does not say what it made.', mayBeDone: true };
  return done({ type: 'unsorted', id: first.uid });
}

/** By our id, which is the uid of its source. */
export async function findUnsorted(client: CrmClient, call: CrmCall): Promise<Verdict<ObjectRef | null>> {
  const query = { 'filter[category][]': ['sip'], 'order[created_at]': 'desc', limit: 250 };
  const found = await ask(client, { method: 'GET', path: '/api/v4/leads/unsorted', query }, unsortedListSchema);
  if (found.verdict !== 'done') return found;
  const same = found.value?.find(({ sourceUid }) => sourceUid === call.id);
  return done(same === undefined ? null : { type: 'unsorted', id: same.uid });
}

/** The lead that it is, taken or not, and the link to a recording that it was made with. */
export async function leadOfUnsorted(
  client: CrmClient,
  uid: string,
): Promise<Verdict<{ readonly leadId: string; readonly link: string | null }>> {
  const path = `/api/v4/leads/unsorted/${encodeURIComponent(uid)}`;
  const found = await ask(client, { method: 'GET', path }, unsortedSchema);
  if (found.verdict !== 'done') return found;
  const { leadId, link = null } = found.value ?? {};
  return leadId === undefined
    ? { verdict: 'gone', why: `There is no unsorted call ${uid} any more.` }
    : done({ leadId, link });
}

const madeSchema = z.object({ id: idSchema });
const complexSchema = z.array(madeSchema);

/** Who has the number by now is used: also one that was made when an answer was lost. */
export async function createCard(
  client: CrmClient,
  baseUrl: string,
  { pipelineId }: Pick<AmocrmSettings, 'pipelineId'>,
  kind: Exclude<CreatedKind, 'unsorted'>,
  call: CrmCall,
): Promise<Verdict<ObjectRef>> {
  const found = await findCards(client, baseUrl, call.number);
  if (found.verdict !== 'done') return found;
  const contact = found.value.find(({ type }) => type === 'contacts');
  const owner = call.userId === null ? {} : { responsible_user_id: Number(call.userId) };
  if (kind === 'contact') {
    if (contact !== undefined) return done({ type: 'contacts', id: contact.id });
    const json = [{ ...contactOf(call), ...owner }];
    const added = await ask(client, { method: 'POST', path: '/api/v4/contacts', json }, listOf('contacts', madeSchema));
    return referTo('contacts', added.verdict === 'done' ? done(added.value?.[0]?.id) : added);
  }
  const lead = found.value.find(({ type }) => type === 'leads');
  if (lead !== undefined) return done({ type: 'leads', id: lead.id });
  const fields = { name: call.subject, ...owner, ...(pipelineId !== undefined && { pipeline_id: pipelineId }) };
  if (contact !== undefined) {
    const json = [{ ...fields, _embedded: { contacts: [{ id: Number(contact.id) }] } }];
    const added = await ask(client, { method: 'POST', path: '/api/v4/leads', json }, listOf('leads', madeSchema));
    return referTo('leads', added.verdict === 'done' ? done(added.value?.[0]?.id) : added);
  }
  const json = [{ ...fields, _embedded: { contacts: [{ ...contactOf(call), ...owner }] } }];
  const added = await ask(client, { method: 'POST', path: '/api/v4/leads/complex', json }, complexSchema);
  return referTo('leads', added.verdict === 'done' ? done(added.value?.[0]?.id) : added);
}

function referTo(type: string, id: Verdict<string | undefined>): Verdict<ObjectRef> {
  if (id.verdict !== 'done') return id;
  if (id.value !== undefined) return done({ type, id: id.value });
  return { verdict: 'retry', why: 'amoCRM does not say what it made.', mayBeDone: true };
}

function contactOf(call: CrmCall) {
  const phone = shownNumberOf(call);
  const phones = [{ field_code: 'PHONE', values: [{ value: phone, enum_code: 'WORK' }] }];
  return { name: phone, ...(call.number.digits !== '' && { custom_fields_values: phones }) };
}

import { z } from 'zod';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmCall } from '../../port/crm-objects.js';
import { done, type Verdict } from '../../port/verdict.js';
import { ask, idSchema, listOf, read, shownNumberOf, secondsOf, send } from './amocrm-api.js';
import { cardTypes, findCards, type CardType } from './amocrm-cards.js';

/** As it stands on the card. */
export const SOURCE = 'Ringline';

/** A card and the call on it. The call's own id is ours, which its note carries as `uniq`. */
export type CallPlace = { readonly type: CardType | 'unsorted'; readonly id: string };

export function placeOf(remoteId: string): CallPlace | null {
  const [type, id] = remoteId.split('/');
  const known = [...cardTypes, 'unsorted' as const].find((one) => one === type);
  return known === undefined || id === undefined || id === '' ? null : { type: known, id };
}

export function remoteIdOf({ type, id }: CallPlace, call: CrmCall): string {
  return `${type}/${id}/${call.id}`;
}

const storedSchema = listOf('calls', z.object({ entity_id: idSchema, entity_type: z.union([z.string(), z.number()]) }));
/** Of each call that was not taken, beside those that were; with status 400 when none was. */
const refusedSchema = z.object({
  errors: z
    .array(z.object({ title: z.string().optional(), detail: z.string().optional(), status: z.number().optional() }))
    .min(1),
});

/** Stores the call on the card that amoCRM finds by its number. Null: no card has it, and the call is not kept. */
export async function storeCall(client: CrmClient, call: CrmCall): Promise<Verdict<CallPlace | null>> {
  const question = { method: 'POST', path: '/api/v4/calls', json: [callOf(call)] } as const;
  const answer = await send(client, question);
  const refused = answer.kind === 'answered' && answer.status < 500 ? refusedSchema.safeParse(answer.json) : null;
  const error = refused?.data?.errors[0];
  if (error !== undefined) {
    const words = [error.title, error.detail].filter((part) => part !== undefined).join(': ');
    return /entity not found/i.test(words)
      ? done(null)
      : { verdict: 'rejected', why: `amoCRM takes no such call: ${words}` };
  }
  const stored = read(question, answer, storedSchema);
  if (stored.verdict !== 'done') return stored;
  const first = stored.value?.[0];
  const type = first === undefined ? null : typeOf(first.entity_type);
  if (first === undefined || type === null) {
    return { verdict: 'retry', why: 'amoCRM does not say where it put the call.', mayBeDone: true };
  }
  return done({ type, id: first.entity_id });
}

/** Puts the call on a card by hand: the number is not among those of the card, or it is written otherwise there. */
export async function storeCallOn(client: CrmClient, place: CallPlace, call: CrmCall): Promise<Verdict<CallPlace>> {
  const { direction, phone, created_at, responsible_user_id, request_id, ...params } = callOf(call);
  const note = {
    note_type: direction === 'inbound' ? 'call_in' : 'call_out',
    created_at,
    ...(responsible_user_id !== undefined && { responsible_user_id, created_by: responsible_user_id }),
    request_id,
    // The note, other than the call, wants each of them.
    params: { ...params, phone, link: params.link ?? '' },
  };
  const path = `/api/v4/${place.type}/${encodeURIComponent(place.id)}/notes`;
  const added = await ask(client, { method: 'POST', path, json: [note] }, z.unknown());
  return added.verdict === 'done' ? done(place) : added;
}

const noteSchema = z.object({
  id: idSchema,
  entity_id: idSchema,
  note_type: z.string(),
  params: z.record(z.string(), z.unknown()).nullish(),
});
export type Note = z.output<typeof noteSchema>;

/** Where the call is, by our id in its note. */
export async function findStored(
  client: CrmClient,
  baseUrl: string,
  call: CrmCall,
): Promise<Verdict<CallPlace | null>> {
  const cards = await findCards(client, baseUrl, call.number);
  if (cards.verdict !== 'done') return cards;
  const all = [...(call.contact === null ? [] : [call.contact]), ...cards.value];
  for (const type of cardTypes) {
    const ids = [...new Set(all.flatMap((card) => (card.type === type ? [card.id] : [])))];
    if (ids.length === 0) continue;
    const note = await findCallNote(client, type, ids, call);
    if (note.verdict !== 'done') return note;
    if (note.value !== null) return done({ type, id: note.value.entity_id });
  }
  return done(null);
}

export async function findCallNote(
  client: CrmClient,
  type: CardType,
  ids: readonly string[],
  call: CrmCall,
): Promise<Verdict<Note | null>> {
  const query = {
    'filter[entity_id][]': ids,
    'filter[note_type][]': ['call_in', 'call_out'],
    'order[updated_at]': 'desc',
    limit: 250,
  };
  const found = await ask(client, { method: 'GET', path: `/api/v4/${type}/notes`, query }, listOf('notes', noteSchema));
  if (found.verdict !== 'done') return found;
  return done(found.value?.find(({ params }) => params?.['uniq'] === call.id) ?? null);
}

/** The link of a recording that came after the call was stored. */
export async function linkRecording(client: CrmClient, type: CardType, note: Note, url: string): Promise<Verdict> {
  if (note.params?.['link'] === url) return done();
  const path = `/api/v4/${type}/${encodeURIComponent(note.entity_id)}/notes/${encodeURIComponent(note.id)}`;
  const json = { note_type: note.note_type, params: { ...note.params, link: url } };
  const changed = await ask(client, { method: 'PATCH', path, json }, z.unknown());
  return changed.verdict === 'done' ? done() : changed;
}

function callOf(call: CrmCall) {
  const { outcome, userId } = call;
  return {
    direction: call.direction === 'inbound' ? 'inbound' : 'outbound',
    uniq: call.id,
    duration: outcome === 'answered' ? Math.round(call.talkSeconds) : 0,
    source: SOURCE,
    phone: shownNumberOf(call),
    call_status: callStatusOf(outcome),
    call_result: [call.disposition, call.summary].filter((part) => part !== null && part !== '').join('\n'),
    created_at: secondsOf(call.startedAt),
    request_id: call.id,
    ...(call.recordingUrl !== null && { link: call.recordingUrl }),
    ...(userId !== null && { responsible_user_id: Number(userId), call_responsible: Number(userId) }),
  };
}

/** 1 left a message, 2 call back later, 3 not in, 4 talked, 5 wrong number, 6 no answer, 7 busy, 8 undefined. */
function callStatusOf(outcome: CrmCall['outcome']): number {
  switch (outcome) {
    case 'answered':
      return 4;
    case 'voicemail':
      return 1;
    case 'missed':
    case 'no-answer':
    case 'cancelled':
    case 'rejected':
      return 6;
    case 'busy':
      return 7;
    case 'failed':
    case 'blocked':
    case null:
      return 8;
  }
}

/** It is told in words, in the singular or the plural, or by the number of the API before this one. */
function typeOf(type: string | number): CardType | null {
  switch (type) {
    case 'contact':
    case 'contacts':
    case 1:
      return 'contacts';
    case 'lead':
    case 'leads':
    case 2:
      return 'leads';
    case 'company':
    case 'companies':
    case 3:
      return 'companies';
    default:
      return null;
  }
}

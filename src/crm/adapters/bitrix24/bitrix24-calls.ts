import { z } from 'zod';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmCall, ObjectRef } from '../../port/crm-objects.js';
import { done, type Verdict } from '../../port/verdict.js';
import { ask, idSchema, judged, maybeId, tryAsk, type Refused } from './bitrix24-api.js';
import type { Bitrix24Settings } from './bitrix24-settings.js';
import { statusCodeOf } from './bitrix24-status.js';
import { extensionOf } from './bitrix24-users.js';

const DAY_SECONDS = 86_400;
/** It takes no call without a digit. */
const ANONYMOUS = '0';
/** Characters of a reason, which is one line in their statistics. */
const REASON = 250;

const registeredSchema = z.object({ CALL_ID: z.string().min(1) });
const finishedSchema = z.object({ CALL_ID: z.string().min(1) });
const statisticsSchema = z.array(
  z.object({ CALL_ID: z.string().min(1), CRM_ENTITY_TYPE: z.string().nullish(), CRM_ENTITY_ID: maybeId }),
);

/** Types that a call can belong to; a deal comes by its contact. */
export function isCaller({ type }: ObjectRef): boolean {
  return type === 'CONTACT' || type === 'COMPANY' || type === 'LEAD';
}

/**
 * Gives the id of the call. Given again within 30 minutes it gives the same one, as long as number, type, user and line are
 * the same: that is why the user is not who has the call now, but who came into it first.
 */
export async function register(
  client: CrmClient,
  settings: Bitrix24Settings,
  call: CrmCall,
  isShown: boolean,
): Promise<Verdict<string>> {
  const { contact, number, line } = call;
  const phone = number.e164 ?? number.digits;
  const mayCreate = settings.createLeads && call.direction !== 'internal' && phone !== '';
  const who = await userFields(client, firstUserOf(call));
  if (who.verdict !== 'done') return who;
  if (line !== null) {
    const known = await ensureLine(client, line);
    if (known.verdict !== 'done') return known;
  }
  const registered = await ask(
    client,
    'telephony.externalCall.register',
    {
      ...who.value,
      PHONE_NUMBER: phone === '' ? ANONYMOUS : phone,
      TYPE: call.direction === 'inbound' ? 2 : 1,
      CALL_START_DATE: isoOf(call.startedAt),
      CRM_CREATE: mayCreate ? 1 : 0,
      ...(contact !== null &&
        isCaller(contact) && { CRM_ENTITY_TYPE: contact.type, CRM_ENTITY_ID: Number(contact.id) }),
      SHOW: isShown ? 1 : 0,
      ...(line !== null && { LINE_NUMBER: line.number }),
      EXTERNAL_CALL_ID: call.id,
    },
    registeredSchema,
  );
  return registered.verdict === 'done' ? done(registered.value.CALL_ID) : registered;
}

/** Ends the call, which makes its line in the statistics and its activity. A second time it is told to be unknown. */
export async function finish(client: CrmClient, callId: string, call: CrmCall): Promise<Verdict<string>> {
  const who = await userFields(client, call.userId ?? firstUserOf(call));
  if (who.verdict !== 'done') return who;
  const wasAnswered = call.outcome === 'answered';
  const finished = await tryAsk(
    client,
    'telephony.externalCall.finish',
    {
      CALL_ID: callId,
      ...who.value,
      DURATION: wasAnswered ? Math.round(call.talkSeconds) : 0,
      STATUS_CODE: statusCodeOf(call.outcome),
      ...(!wasAnswered && { FAILED_REASON: [...(call.summary || (call.outcome ?? ''))].slice(0, REASON).join('') }),
      ...(call.cost !== null && { COST: call.cost.amount, COST_CURRENCY: call.cost.currency }),
    },
    finishedSchema,
  );
  if (finished.verdict === 'done') return done(finished.value.CALL_ID);
  if (!isUnknownCall(finished)) return judged(finished);
  const kept = await findFinished(client, { CALL_ID: callId });
  if (kept.verdict !== 'done') return kept;
  return kept.value === null
    ? { verdict: 'gone', why: `Bitrix24 does not know the call ${callId}.` }
    : done(kept.value.id);
}

/** `null`: there is none, or it is not finished. */
export async function findFinished(
  client: CrmClient,
  filter: { readonly CALL_ID: string } | { readonly EXTERNAL_CALL_ID: string },
): Promise<Verdict<{ readonly id: string; readonly entity: ObjectRef | null } | null>> {
  const found = await ask(client, 'voximplant.statistic.get', { FILTER: filter }, statisticsSchema);
  if (found.verdict !== 'done') return found;
  const first = found.value[0];
  if (first === undefined) return done(null);
  const { CRM_ENTITY_TYPE: type, CRM_ENTITY_ID: id } = first;
  return done({ id: first.CALL_ID, entity: type != null && type !== '' && id !== null ? { type, id } : null });
}

export function isUnknownCall(reply: Verdict<unknown> | Refused): reply is Refused {
  return reply.verdict === 'refused' && /call is not found/i.test(reply.error.text);
}

export function firstUserOf({ people, userId }: CrmCall): string | null {
  return people.find((person) => person.userId !== null)?.userId ?? userId;
}

/** Both, though the documents ask for one: their own check of parameters wants both. */
export async function userFields(
  client: CrmClient,
  userId: string | null,
): Promise<Verdict<{ readonly USER_ID: number; readonly USER_PHONE_INNER?: string }>> {
  if (userId === null) {
    const why = 'Bitrix24 wants an employee for each call: map your agents to its users, or name a default user.';
    return { verdict: 'rejected', why };
  }
  const extension = await extensionOf(client, userId);
  if (extension.verdict !== 'done') return extension;
  return done({ USER_ID: Number(userId), ...(extension.value !== null && { USER_PHONE_INNER: extension.value }) });
}

/** A line has to be known, to be chosen in Bitrix24 for calls, call-back forms and Sales Intelligence. */
function ensureLine(client: CrmClient, line: NonNullable<CrmCall['line']>): Promise<Verdict<true>> {
  return client.remember(`line:${line.number}`, DAY_SECONDS, async () => {
    const fields = { NUMBER: line.number, NAME: line.name, CRM_AUTO_CREATE: 'N' };
    const added = await tryAsk(client, 'telephony.externalLine.add', fields, z.object({ ID: idSchema }));
    if (added.verdict === 'refused' && /already exists/i.test(added.error.text)) return done<true>(true);
    return added.verdict === 'done' ? done<true>(true) : judged(added);
  });
}

/** ISO 8601 with an offset and without fractions, as their examples have it. */
export function isoOf(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, '+00:00');
}

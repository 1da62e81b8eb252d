import type { ObjectRef } from '../../port/crm-objects.js';
import type { DoorRequest, DoorVerdict } from '../../port/door.js';
import { isSameSecret } from '../../port/same-secret.js';
import type { Bitrix24Settings } from './bitrix24-settings.js';

const contactChange = /^ONCRM(CONTACT|COMPANY|LEAD)(ADD|UPDATE|DELETE)$/;

/** An event of the application: a form, `data[USER_ID]=1&auth[application_token]=...`. */
export function parseInbound(
  { method, body }: DoorRequest,
  { applicationToken }: Pick<Bitrix24Settings, 'applicationToken'>,
): DoorVerdict {
  if (method !== 'POST') return { kind: 'malformed', why: 'An event comes by POST.' };
  const form = new URLSearchParams(new TextDecoder().decode(body));
  const data = (name: string): string => form.get(`data[${name}]`)?.trim() ?? '';
  if (!isSameSecret(form.get('auth[application_token]') ?? undefined, applicationToken)) return { kind: 'forged' };
  const event = (form.get('event') ?? '').toUpperCase();
  if (contactChange.test(event)) return { kind: 'wished', wish: { key: keyOf(form, event), wish: 'contacts-changed' } };
  if (event !== 'ONEXTERNALCALLSTART' && event !== 'ONEXTERNALCALLBACKSTART') return { kind: 'ignored' };

  const number = data('PHONE_NUMBER_INTERNATIONAL') || data('PHONE_NUMBER');
  if (number === '') return { kind: 'malformed', why: 'The event names no number.' };
  const called = {
    number,
    entity: entityOf(data('CRM_ENTITY_TYPE'), data('CRM_ENTITY_ID')),
    line: data('LINE_NUMBER') || null,
  };
  if (event === 'ONEXTERNALCALLBACKSTART') {
    const wish = { wish: 'call-back', ...called, text: data('TEXT') || null, key: keyOf(form, event, number) } as const;
    return { kind: 'wished', wish };
  }
  const userId = data('USER_ID');
  const remoteCallId = data('CALL_ID') || null;
  if (userId === '') return { kind: 'malformed', why: 'The event names no user.' };
  // Bitrix24 has registered this call already, and shows its card: it is finished under that id.
  const key = remoteCallId ?? keyOf(form, event, number);
  return { kind: 'wished', wish: { wish: 'dial', ...called, userId, remoteCallId, key } };
}

/** Access tokens in the body may differ when an event is sent again: the body's hash would too. */
function keyOf(form: URLSearchParams, event: string, number = ''): string {
  return [event, form.get('ts') ?? '', number, form.get('data[FIELDS][ID]') ?? ''].join(':');
}

function entityOf(type: string, id: string): ObjectRef | null {
  return type === '' || id === '' || id === '0' ? null : { type, id };
}

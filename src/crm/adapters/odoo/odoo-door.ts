import { z } from 'zod';
import type { DoorRequest, DoorVerdict } from '../../port/door.js';
import { isSameSecret } from '../../port/same-secret.js';
import { CLICK_HEADER, parseJson, readSignedClick } from '../../port/signed-click.js';
import { LEAD, PARTNER } from './odoo-call-objects.js';
import type { OdooSettings } from './odoo-settings.js';

/** As an automation rule of Odoo 17 and later sends it: it can sign nothing, so that its address has a token. */
const changeShape = z
  .looseObject({ _model: z.string(), _id: z.int() })
  .transform(({ ['_model']: model }) => ({ model }));

export function parseInbound(request: DoorRequest, { webhookToken, clickSecret }: OdooSettings): DoorVerdict {
  const { method, headers, query, body } = request;
  if (headers[CLICK_HEADER] !== undefined) return readSignedClick(request, clickSecret, [PARTNER, LEAD]);
  if (method !== 'POST') return { kind: 'malformed', why: 'Odoo posts.' };
  if (webhookToken === null || !isSameSecret(query['token'], webhookToken)) return { kind: 'forged' };
  const change = changeShape.safeParse(parseJson(body));
  if (!change.success) return { kind: 'malformed', why: 'It names no record.' };
  const isContact = [PARTNER, LEAD].includes(change.data.model);
  return isContact ? { kind: 'wished', wish: { wish: 'contacts-changed', key: null } } : { kind: 'ignored' };
}

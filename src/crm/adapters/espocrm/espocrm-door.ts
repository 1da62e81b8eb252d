import { z } from 'zod';
import type { DoorRequest, DoorVerdict } from '../../port/door.js';
import { hmacSha256, isSameSignature } from '../../port/signature.js';
import { CLICK_HEADER, parseJson, readSignedClick } from '../../port/signed-click.js';
import type { EspocrmSettings } from './espocrm-settings.js';

const entityTypes = ['Contact', 'Lead', 'Account'];

/** EspoCRM’s webhooks, and clicks on a number: see the README for the latter. */
export function parseInbound(request: DoorRequest, settings: EspocrmSettings): DoorVerdict {
  const { method, headers, body } = request;
  if (method !== 'POST') return { kind: 'malformed', why: 'EspoCRM posts.' };
  if (headers[CLICK_HEADER] !== undefined) return readSignedClick(request, settings.clickSecret, entityTypes);
  const isEspo = signaturesIn(headers).some((given) =>
    settings.webhookSecrets.some((secret) => isSameSignature(given, hmacSha256(secret, body))),
  );
  return isEspo ? readWebhook(body) : { kind: 'forged' };
}

/**
 * Base64 of the webhook’s id, a colon and the HMAC: raw in `X-Signature`, in hexadecimal in `Signature`, which newer servers
 * send besides.
 */
function signaturesIn(headers: DoorRequest['headers']): readonly Uint8Array[] {
  const raw = afterColon(headers['x-signature']);
  const hex = afterColon(headers['signature']);
  return [
    ...(raw === null ? [] : [raw]),
    ...(hex === null ? [] : [new Uint8Array(Buffer.from(hex.toString('latin1'), 'hex'))]),
  ];
}

function afterColon(header: string | undefined): Buffer | null {
  const bytes = Buffer.from(header ?? '', 'base64');
  const colon = bytes.indexOf(':');
  return colon <= 0 ? null : bytes.subarray(colon + 1);
}

/** Which entity it is about is not said; contacts are what the README has webhooks made for. */
function readWebhook(body: Uint8Array): DoorVerdict {
  const records = z.array(z.looseObject({ id: z.string() })).safeParse(parseJson(body));
  if (!records.success) return { kind: 'malformed', why: 'It is no list of records with ids.' };
  return records.data.length === 0
    ? { kind: 'ignored' }
    : { kind: 'wished', wish: { wish: 'contacts-changed', key: null } };
}

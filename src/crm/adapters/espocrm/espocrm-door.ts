import { z } from 'zod';
import type { DoorRequest, DoorVerdict } from '../../port/door.js';
import { hmacSha256, isSameSignature } from '../../port/signature.js';
import type { EspocrmSettings } from './espocrm-settings.js';

/** EspoCRM’s webhooks, and clicks on a number: see the README for the latter. */
export function parseInbound(request: DoorRequest, settings: EspocrmSettings): DoorVerdict {
  const { method, headers, body } = request;
  if (method !== 'POST') return { kind: 'malformed', why: 'EspoCRM posts.' };
  const click = headers['x-ringline-signature'];
  if (click !== undefined) {
    if (settings.clickSecret === null) return { kind: 'forged' };
    const right = hmacSha256(settings.clickSecret, body);
    return isSameSignature(Buffer.from(click, 'hex'), right) ? readClick(body) : { kind: 'forged' };
  }
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
  const records = z.array(z.looseObject({ id: z.string() })).safeParse(parse(body));
  if (!records.success) return { kind: 'malformed', why: 'It is no list of records with ids.' };
  return records.data.length === 0
    ? { kind: 'ignored' }
    : { kind: 'wished', wish: { wish: 'contacts-changed', key: null } };
}

const clickShape = z.object({
  id: z.string().min(8).max(100),
  userId: z.string().min(1).max(50),
  number: z.string().trim().min(1).max(100),
  entityType: z.enum(['Contact', 'Lead', 'Account']).nullish(),
  entityId: z.string().min(1).max(50).nullish(),
  line: z.string().min(1).max(100).nullish(),
});

function readClick(body: Uint8Array): DoorVerdict {
  const click = clickShape.safeParse(parse(body));
  if (!click.success) {
    const [issue] = click.error.issues;
    return { kind: 'malformed', why: `${issue?.path.join('.') || 'the body'}: ${issue?.message ?? 'does not fit'}` };
  }
  const { id, userId, number, entityType, entityId, line } = click.data;
  const entity = entityType != null && entityId != null ? { type: entityType, id: entityId } : null;
  return {
    kind: 'wished',
    wish: { wish: 'dial', key: id, userId, number, entity, line: line ?? null, remoteCallId: null },
  };
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch {
    return undefined;
  }
}

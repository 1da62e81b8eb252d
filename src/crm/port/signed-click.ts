import { z } from 'zod';
import type { DoorRequest, DoorVerdict } from './door.js';
import { hmacSha256, isSameSignature } from './signature.js';

/** In hexadecimal: the HMAC-SHA256 of the body. */
export const CLICK_HEADER = 'x-ringline-signature';

/** The setting that holds what clicks are signed with. */
export const clickSecretSetting = z
  .string()
  .trim()
  .min(32)
  .max(200)
  .nullable()
  .default(null)
  .meta({ description: 'What clicks to call are signed with. Null: there are none.' });

const clickShape = z.object({
  /** Another one for each click. */
  id: z.string().min(8).max(100),
  /** The CRM's id of who clicked. */
  userId: z.union([z.string().min(1).max(50), z.int().positive()]).transform(String),
  number: z.string().trim().min(1).max(100),
  entityType: z.string().min(1).max(100).nullish(),
  entityId: z
    .union([z.string().min(1).max(100), z.int().positive()])
    .transform(String)
    .nullish(),
  line: z.string().min(1).max(100).nullish(),
});

/** Click-to-call from a CRM that has no request of its own for it: what an admin's few lines on its server send. */
export function readSignedClick(
  { method, headers, body }: DoorRequest,
  secret: string | null,
  entityTypes: readonly string[],
): DoorVerdict {
  if (method !== 'POST') return { kind: 'malformed', why: 'A click is posted.' };
  const given = Buffer.from(headers[CLICK_HEADER] ?? '', 'hex');
  if (secret === null || !isSameSignature(given, hmacSha256(secret, body))) return { kind: 'forged' };
  const click = clickShape.safeParse(parseJson(body));
  if (!click.success) {
    const [issue] = click.error.issues;
    const where = issue === undefined || issue.path.length === 0 ? 'the body' : issue.path.join('.');
    return { kind: 'malformed', why: `${where}: ${issue?.message ?? 'does not fit'}` };
  }
  const { id, userId, number, entityType, entityId, line } = click.data;
  const isKnown = entityType != null && entityId != null && entityTypes.includes(entityType);
  const entity = isKnown ? { type: entityType, id: entityId } : null;
  return {
    kind: 'wished',
    wish: { wish: 'dial', key: id, userId, number, entity, line: line ?? null, remoteCallId: null },
  };
}

/** Undefined for what is none. */
export function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch {
    return undefined;
  }
}

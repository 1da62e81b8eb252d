import { z } from 'zod';
import type { DoorRequest, DoorVerdict } from '../../port/door.js';
import { isSameSecret } from '../../port/same-secret.js';
import type { AmocrmSettings } from './amocrm-settings.js';

const id = z.union([z.string().trim().min(1).max(100), z.number()]).transform(String);

/** What our part of the widget sends; see the README. */
const clickSchema = z.object({
  event: z.literal('dial'),
  /** New for each click. */
  id: id.optional(),
  userId: id,
  number: id,
  entity: z.object({ type: z.string().min(1).max(50), id }).nullish(),
  line: z.string().trim().min(1).max(50).nullish(),
});

/**
 * A click on a number. The secret comes as a header, or in the body: a page may not send a header of its own to another
 * origin without asking first.
 */
export function parseInbound(
  { method, headers, body }: DoorRequest,
  { doorSecret }: Pick<AmocrmSettings, 'doorSecret'>,
): DoorVerdict {
  if (method !== 'POST') return { kind: 'malformed', why: 'A click comes by POST.' };
  if (doorSecret === undefined) return { kind: 'forged' };
  const click = parse(body);
  const inBody = z.object({ secret: z.string() }).safeParse(click);
  const given = headers['x-ringline-secret'] ?? (inBody.success ? inBody.data.secret : undefined);
  if (!isSameSecret(given, doorSecret)) return { kind: 'forged' };
  const known = z.object({ event: z.string() }).safeParse(click);
  if (!known.success) return { kind: 'malformed', why: 'It is no JSON with an event in it.' };
  if (known.data.event !== 'dial') return { kind: 'ignored' };
  const read = clickSchema.safeParse(click);
  if (!read.success) {
    const [issue] = read.error.issues;
    return { kind: 'malformed', why: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` };
  }
  const { id: key = null, userId, number, entity = null, line = null } = read.data;
  return { kind: 'wished', wish: { wish: 'dial', key, userId, number, entity, line, remoteCallId: null } };
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body)) as unknown;
  } catch {
    return undefined;
  }
}

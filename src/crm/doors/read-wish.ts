import { z } from 'zod';
import type { DoorWish } from '../port/door.js';

/** As a database stores it, and no longer than anything that a CRM means. */
const text = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/^[^\0\p{Cs}]*$/u, { error: 'holds a character that is no text' });
const entity = z.object({ type: text(100).min(1), id: text(200).min(1) }).nullable();
const key = text(500).min(1).nullable();

const wishSchema = z.discriminatedUnion('wish', [
  z.object({
    wish: z.literal('dial'),
    key,
    userId: text(100).min(1),
    number: text(300).min(1),
    entity,
    line: text(200).min(1).nullable(),
    remoteCallId: text(300).min(1).nullable(),
  }),
  z.object({
    wish: z.literal('call-back'),
    key,
    number: text(300).min(1),
    text: text(5_000).nullable(),
    entity,
    line: text(200).min(1).nullable(),
  }),
  z.object({ wish: z.literal('contacts-changed'), key }),
]);

/** What an adapter made of a stranger's request, within bounds; in words where it is not. */
export function readWish(wish: DoorWish): { readonly wish: DoorWish } | { readonly why: string } {
  const read = wishSchema.safeParse(wish);
  if (read.success) return { wish: read.data };
  const [issue] = read.error.issues;
  return { why: `${issue?.path.join('.') ?? 'The request'}: ${issue?.message ?? 'does not fit'}` };
}

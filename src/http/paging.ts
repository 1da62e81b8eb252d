import { z } from 'zod';
import { idSchema } from './id.js';

export type Page<Item> = { readonly items: Item[]; readonly nextCursor: string | null };

/** The document of one page of a list; `id` names it in the OpenAPI document. */
export const pageSchema = <Item extends z.ZodType>(id: string, item: Item) =>
  z
    .strictObject({
      items: z.array(item),
      nextCursor: z.string().nullable().meta({ description: 'Pass it as `cursor`; null: this is the last page.' }),
    })
    .meta({ id });

/**
 * `limit` and `cursor` of a list's query. `key` is what the list is ordered by, as the cursor holds it; it comes from
 * outside, so it is checked like any input.
 */
export const pageQueryShape = <Key extends z.ZodType>(key: Key) => ({
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: 'Most items to answer with.' }),
  cursor: z
    .string()
    .max(1000)
    .transform((text, context) => {
      const decoded = key.safeParse(decode(text));
      if (decoded.success) return decoded.data;
      context.addIssue({ code: 'custom', message: 'is not a `nextCursor` of this list' });
      return z.NEVER;
    })
    .optional()
    .meta({ description: '`nextCursor` of the page before.' }),
});

/** The query of a list that is ordered by id alone, which is the order of making. */
export const idPageQuerySchema = z.strictObject(pageQueryShape(idSchema));
export type IdPageQuery = z.output<typeof idPageQuerySchema>;

/**
 * Makes a page of rows that were read with one row more than `limit`.
 * @param keyOf what the next page's cursor holds: the place of a row in the list's order
 */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => unknown,
  view: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const nextCursor = rows.length > limit && last !== undefined ? encode(keyOf(last)) : null;
  return { items: shown.map(view), nextCursor };
}

function encode(key: unknown): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

function decode(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

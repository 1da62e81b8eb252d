import { z } from 'zod';

/** One line of text for people: 1 to `maxLength` characters, spaces around it removed. */
export function plainText(maxLength: number): z.ZodType<string, string> {
  return z
    .string()
    .trim()
    .min(1)
    .max(maxLength)
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, { error: 'must be one line without control characters' });
}

import { z } from 'zod';
import { idSchema } from '../http/id.js';
import { instantSchema } from '../http/instant.js';
import { patchSchema } from '../http/patch.js';
import { plainText } from '../http/plain-text.js';
import { ANONYMOUS, numberPattern } from '../numbers/number-pattern.js';
import { findInPlan } from '../numbers/numbering-plan.js';

const shape = {
  pattern: z
    .string()
    .refine((pattern) => pattern === ANONYMOUS || numberPattern.test(pattern), {
      error: 'must be E.164 such as +14155550123, the beginning of numbers such as +1415*, or anonymous',
      abort: true,
    })
    .refine((pattern) => !/\d$/.test(pattern) || isWhole(pattern), {
      error: 'is no complete number of its country; write it as in E.164, or end it with * to mean all that begin so',
    })
    .meta({
      description:
        'Whom it means: a number in E.164, all numbers that begin so (`+1415*`), or `anonymous`: callers who show no number.',
      example: '+14155550123',
    }),
  reason: plainText(200).nullable().default(null).meta({ description: 'Why, for people.' }),
};

export const createBlockedNumberSchema = z.strictObject(shape).meta({ id: 'CreateBlockedNumber' });
export type CreateBlockedNumber = z.output<typeof createBlockedNumberSchema>;

export const updateBlockedNumberSchema = patchSchema('UpdateBlockedNumber', createBlockedNumberSchema);
export type UpdateBlockedNumber = z.output<typeof updateBlockedNumberSchema>;

export const blockedNumberSchema = z
  .strictObject({ id: idSchema, ...shape, createdAt: instantSchema })
  .meta({ id: 'BlockedNumber' });
export type BlockedNumberView = z.output<typeof blockedNumberSchema>;

/** A number that a call could come from, written as it is read from one: else it would block nobody. */
function isWhole(e164: string): boolean {
  const number = findInPlan({ international: true, digits: e164.slice(1) }, '');
  return number !== null && number.possible && number.e164 === e164;
}

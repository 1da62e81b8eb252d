import { z } from 'zod';
import { idSchema } from '../http/id.js';
import { plainText } from '../http/plain-text.js';
import { callOrders, transferModes } from './domain/plan.js';

const tagSchema = plainText(64);

export const createCallSchema = z
  .strictObject({
    agentId: idSchema.meta({ description: 'Who is to talk with the other party.' }),
    // Bounded only in size here: what is wrong with a number is said by the dial rules.
    to: z
      .string()
      .max(300)
      .meta({ description: 'Whom to call: E.164, or national in the tenant’s region.', example: '+14155550123' }),
    lineId: idSchema
      .optional()
      .meta({ description: 'The line that is shown. Default: the only one with a trunk on the agent’s node.' }),
    order: z.enum(callOrders).default('agent-first').meta({
      description:
        'Whose phone rings first. `customer-first`: the agent’s phones ring once the other party has answered, and that party hears ringing meanwhile.',
    }),
    tags: z.array(tagSchema).max(20).default([]),
  })
  .meta({ id: 'CreateCall' });
export type CreateCall = z.output<typeof createCallSchema>;

export const annotateCallSchema = z
  .strictObject({
    note: z.string().max(10_000).nullable().optional(),
    disposition: plainText(200).nullable().optional(),
    tags: z.array(tagSchema).max(20).optional(),
  })
  .meta({ id: 'AnnotateCall' });
export type AnnotateCall = z.output<typeof annotateCallSchema>;

export const sendDigitsSchema = z
  .strictObject({
    digits: z
      .string()
      .regex(/^[0-9A-D*#]{1,32}$/, 'Digits are 0 to 9, A to D, * and #, at most 32.')
      .meta({ description: 'What the other party is sent, one after the other.', example: '1234#' }),
  })
  .meta({ id: 'SendDigits' });
export type SendDigits = z.output<typeof sendDigitsSchema>;

export const transferCallSchema = z
  .strictObject({
    mode: z.enum(transferModes).default('blind').meta({
      description:
        '`blind`: the other party goes to the target as soon as that answers. `attended`: who has the call talks with the target first.',
    }),
    agentId: idSchema.optional().meta({ description: 'The agent whose phones ring. Either this or `to`.' }),
    to: z.string().max(300).optional().meta({
      description: 'The outside number that is called by the trunk of the call’s line.',
      example: '+14155550123',
    }),
    ringSeconds: z.int().min(5).max(120).default(30).meta({ description: 'How long the target rings.' }),
  })
  .refine(({ agentId, to }) => (agentId === undefined) !== (to === undefined), {
    error: 'must name the target: either `agentId` or `to`',
    path: ['agentId'],
  })
  .meta({ id: 'TransferCall' });
export type TransferCall = z.output<typeof transferCallSchema>;

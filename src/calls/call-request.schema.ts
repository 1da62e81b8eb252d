import { z } from 'zod';
import { idSchema } from '../http/id.js';
import { plainText } from '../http/plain-text.js';
import { contextPattern, extensionPattern } from '../numbers/dial-endpoint.js';
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
    crm: z
      .strictObject({ connectionId: idSchema, type: plainText(100), id: plainText(200) })
      .optional()
      .meta({ description: 'The object of a CRM that the call is about; `type` in the CRM’s own word.' }),
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
    agentId: idSchema
      .optional()
      .meta({ description: 'The agent whose phones ring. One of this, `to` and `extension`.' }),
    to: z.string().max(300).optional().meta({
      description: 'The outside number that is called by the trunk of the call’s line.',
      example: '+14155550123',
    }),
    extension: z
      .string()
      .regex(extensionPattern, 'An extension is 1 to 20 of the digits 0 to 9, * and #.')
      .optional()
      .meta({
        description: 'The extension of the PBX’s own dial plan that is dialled: a queue, a group, a menu.',
        example: '600',
      }),
    context: z.string().regex(contextPattern, 'A context is 1 to 79 letters, digits, _ or -.').optional().meta({
      description: 'Of `extension`: one of the node’s `extensionContexts`. Default: the first of them.',
    }),
    ringSeconds: z.int().min(5).max(120).default(30).meta({ description: 'How long the target rings.' }),
  })
  .refine(({ agentId, to, extension }) => [agentId, to, extension].filter((one) => one !== undefined).length === 1, {
    error: 'must name the target: one of `agentId`, `to` and `extension`',
    path: ['agentId'],
  })
  .refine(({ extension, context }) => context === undefined || extension !== undefined, {
    error: 'goes with `extension` only',
    path: ['context'],
  })
  .meta({ id: 'TransferCall' });
export type TransferCall = z.output<typeof transferCallSchema>;

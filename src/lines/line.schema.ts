import { z } from 'zod';
import { idSchema } from '../http/id.js';
import { instantSchema } from '../http/instant.js';
import { patchSchema } from '../http/patch.js';
import { plainText } from '../http/plain-text.js';
import { e164Pattern } from '../numbers/numbering-plan.js';

export const lineTargetSchema = z.strictObject({
  agentIds: z
    .array(idSchema)
    .min(1)
    .max(50)
    .refine((ids) => new Set(ids).size === ids.length, { error: 'must not repeat an agent' }),
  strategy: z.literal('ring-all').default('ring-all'),
  ringSeconds: z
    .int()
    .min(5)
    .max(120)
    .default(25)
    .meta({ description: 'How long the agents ring before the dial plan’s fall-back takes the call.' }),
});
export type LineTarget = z.output<typeof lineTargetSchema>;

export const lineOutboundSchema = z.strictObject({
  endpoint: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,64}$/, { error: 'must be the name of a PJSIP endpoint: 1 to 64 letters, digits, _ . -' })
    .meta({ description: 'The trunk: a customer is dialled `PJSIP/<number>@<endpoint>`.' }),
  format: z.enum(['plus-e164', 'e164', 'national']).meta({ description: 'How the trunk wants numbers written.' }),
  prefix: z
    .string()
    .regex(/^[0-9*#]{1,8}$/, { error: 'must be 1 to 8 digits, * or #' })
    .optional()
    .meta({ description: 'Put before every number.' }),
});
export type LineOutbound = z.output<typeof lineOutboundSchema>;

export const lineRecordingSchema = z.strictObject({
  mode: z
    .enum(['off', 'on'])
    .default('off')
    .meta({ description: '`on`: calls are recorded from the moment both parties talk. Ask for their consent first.' }),
});
export type LineRecording = z.output<typeof lineRecordingSchema>;

const shape = {
  pbxNodeId: idSchema,
  number: z
    .string()
    .regex(e164Pattern, { error: 'must be E.164, such as +14155550123' })
    .meta({ description: 'E.164. Shown to customers as caller id.', example: '+14155550123' }),
  name: plainText(200),
  target: lineTargetSchema.meta({ description: 'Who rings when the line is called.' }),
  outbound: lineOutboundSchema.nullable().default(null).meta({ description: 'Null: the line only takes calls.' }),
  recording: lineRecordingSchema.prefault({}).meta({ description: 'For calls that begin after the change.' }),
};
export const didSchema = z
  .string()
  .regex(/^[A-Za-z0-9+*#_.-]{1,64}$/, { error: 'must be 1 to 64 letters, digits or + * # _ . -' })
  .meta({ description: 'Exactly what the dial plan passes. Default: the digits of `number`.' });

export const createLineSchema = z.strictObject({ ...shape, did: didSchema.optional() }).meta({ id: 'CreateLine' });
export type CreateLine = z.output<typeof createLineSchema>;

export const updateLineSchema = patchSchema('UpdateLine', createLineSchema);
export type UpdateLine = z.output<typeof updateLineSchema>;

export const lineSchema = z
  .strictObject({ id: idSchema, ...shape, did: didSchema, createdAt: instantSchema, updatedAt: instantSchema })
  .meta({ id: 'Line' });
export type LineView = z.output<typeof lineSchema>;

/** What a dial plan passes for a number unless an administrator says otherwise. */
export function defaultDid(number: string): string {
  return number.slice(1);
}

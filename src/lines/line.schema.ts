import { z } from 'zod';

const idSchema = z.uuid();

export const lineTargetSchema = z.strictObject({
  agentIds: z.array(idSchema).min(1).max(50),
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
  endpoint: z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, { error: 'must be the name of a PJSIP endpoint' }),
  format: z.enum(['plus-e164', 'e164', 'national']),
  prefix: z
    .string()
    .regex(/^[0-9*#]{1,8}$/, { error: 'must be 1 to 8 digits, * or #' })
    .optional(),
});
export type LineOutbound = z.output<typeof lineOutboundSchema>;

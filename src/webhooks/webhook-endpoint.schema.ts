import { z } from 'zod';
import { callEventTypes } from '../calls/domain/call-event.js';
import { idSchema } from '../http/id.js';
import { instantSchema } from '../http/instant.js';
import { plainText } from '../http/plain-text.js';
import { patchSchema, type Patch } from '../http/patch.js';

const urlSchema = z
  .string()
  .max(2000)
  .meta({ description: 'https on port 443 of a public address, unless the operator allows more.' });
const eventTypesSchema = z
  .array(z.enum(callEventTypes))
  .refine((types) => new Set(types).size === types.length, { error: 'must not repeat a type' })
  .meta({ description: 'Types that are sent. Empty: every type.' });
const descriptionSchema = z.union([z.literal(''), plainText(500)]);

export const createWebhookEndpointSchema = z
  .strictObject({
    url: urlSchema,
    description: descriptionSchema.default(''),
    eventTypes: eventTypesSchema.default([]),
    status: z
      .enum(['enabled', 'paused'])
      .default('enabled')
      .meta({ description: 'A paused endpoint gets nothing, and nothing is kept for it while it is paused.' }),
  })
  .meta({ id: 'CreateWebhookEndpoint' });
export type CreateWebhookEndpoint = z.output<typeof createWebhookEndpointSchema>;

export const updateWebhookEndpointSchema = patchSchema('UpdateWebhookEndpoint', createWebhookEndpointSchema);
export type UpdateWebhookEndpoint = Patch<CreateWebhookEndpoint>;

export const webhookEndpointSchema = z
  .strictObject({
    id: idSchema,
    url: z.string(),
    description: z.string(),
    eventTypes: z.array(z.enum(callEventTypes)),
    status: z
      .enum(['enabled', 'paused', 'disabled'])
      .meta({ description: '`disabled` by Ringline, see `statusReason`; set `enabled` to go on.' }),
    statusReason: z.string().nullable(),
    createdAt: instantSchema,
    updatedAt: instantSchema,
  })
  .meta({ id: 'WebhookEndpoint' });
export type WebhookEndpointView = z.output<typeof webhookEndpointSchema>;

export const createdWebhookEndpointSchema = z
  .strictObject({
    ...webhookEndpointSchema.shape,
    secret: z
      .string()
      .meta({ description: 'Verifies what is sent: `whsec_` and 32 bytes in base64. Shown this once.' }),
  })
  .meta({ id: 'CreatedWebhookEndpoint' });
export type CreatedWebhookEndpoint = z.output<typeof createdWebhookEndpointSchema>;

export const attemptSchema = z
  .strictObject({
    number: z.int().min(1),
    startedAt: instantSchema,
    durationMs: z.int().min(0),
    status: z.int().nullable().meta({ description: 'HTTP status; null when no answer came.' }),
    error: z.string().nullable().meta({ description: 'What went wrong, in words; null when it was taken.' }),
    responseExcerpt: z.string().nullable().meta({ description: 'First 4 kB of the answer.' }),
  })
  .meta({ id: 'WebhookAttempt' });

export const deliverySchema = z
  .strictObject({
    id: idSchema,
    eventId: idSchema.meta({ description: 'Also the header `webhook-id`.' }),
    eventType: z.enum(callEventTypes),
    callId: idSchema,
    sequence: z.int().min(1),
    status: z.enum(['pending', 'delivered', 'superseded', 'dead']).meta({
      description: '`superseded`: gave way to a later event of its call. `dead`: the last attempt failed.',
    }),
    createdAt: instantSchema,
    nextAttemptAt: instantSchema.nullable().meta({ description: 'Null when it is finished.' }),
    finishedAt: instantSchema.nullable(),
    attempts: z.array(attemptSchema),
  })
  .meta({ id: 'WebhookDelivery' });
export type DeliveryView = z.output<typeof deliverySchema>;

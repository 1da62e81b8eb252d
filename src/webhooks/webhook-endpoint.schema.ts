import { z } from 'zod';
import { callEventTypes } from '../calls/domain/call-event.js';
import { idSchema } from '../http/id.js';
import { instantSchema } from '../http/instant.js';
import { pageQueryShape } from '../http/paging.js';
import { plainText } from '../http/plain-text.js';
import { patchSchema, type Patch } from '../http/patch.js';
import { endpointEventSchema, endpointEventTypes } from './endpoint-event.js';

const eventTypeSchema = z.enum([...callEventTypes, ...endpointEventTypes]);

const urlSchema = z
  .string()
  .max(2000)
  .meta({ description: 'https on port 443 of a public address, unless the operator allows more.' });
const eventTypesSchema = z
  .array(eventTypeSchema)
  .refine((types) => new Set(types).size === types.length, { error: 'must not repeat a type' })
  .meta({
    description:
      'Types that are sent. Empty: every type about calls. `endpoint.failing` and `endpoint.disabled` tell of the tenant’s other endpoints, and are sent only where they are named.',
  });
const eventTypesOfCallsSchema = z.array(z.enum(callEventTypes)).min(1);
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
    eventTypes: z.array(eventTypeSchema),
    status: z
      .enum(['enabled', 'paused', 'disabled'])
      .meta({ description: '`disabled` by Ringline, see `statusReason`; set `enabled` to go on.' }),
    statusReason: z.string().nullable(),
    failingSince: instantSchema
      .nullable()
      .meta({ description: 'Since when every try failed; null: the last was taken.' }),
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

export const rotatedSecretSchema = z
  .strictObject({
    secret: createdWebhookEndpointSchema.shape.secret,
    previousSecretUntil: instantSchema.meta({ description: 'Until then the secret before signs too.' }),
  })
  .meta({ id: 'RotatedWebhookSecret' });
export type RotatedSecret = z.output<typeof rotatedSecretSchema>;

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

const deliveryStatuses = ['pending', 'delivered', 'superseded', 'dead'] as const;

export const deliverySchema = z
  .strictObject({
    id: idSchema,
    eventId: idSchema.meta({ description: 'Also the header `webhook-id`.' }),
    eventType: eventTypeSchema,
    callId: idSchema.nullable().meta({ description: 'Null for an event about an endpoint.' }),
    sequence: z.int().min(1).nullable(),
    status: z.enum(deliveryStatuses).meta({
      description: '`superseded`: gave way to a later event of its call. `dead`: the last attempt failed.',
    }),
    createdAt: instantSchema,
    nextAttemptAt: instantSchema.nullable().meta({ description: 'Null when it is finished.' }),
    finishedAt: instantSchema.nullable(),
    replays: z.int().min(0).meta({ description: 'How often it was asked for again.' }),
    attempts: z.array(attemptSchema),
  })
  .meta({ id: 'WebhookDelivery' });
export type DeliveryView = z.output<typeof deliverySchema>;

const { startedAt, durationMs, status, error, responseExcerpt } = attemptSchema.shape;
export const webhookTestSchema = z
  .strictObject({ event: endpointEventSchema, startedAt, durationMs, status, error, responseExcerpt })
  .meta({ id: 'WebhookTest' });
export type WebhookTestView = z.output<typeof webhookTestSchema>;

const time = z.iso.datetime({ offset: true });

export const listDeliveriesQuerySchema = z.strictObject({
  ...pageQueryShape(idSchema),
  status: z.enum(deliveryStatuses).optional(),
  eventType: eventTypeSchema.optional(),
  eventId: idSchema.optional(),
  callId: idSchema.optional(),
  from: time.optional().meta({ description: 'Made at or after this instant.' }),
  to: time.optional().meta({ description: 'Made before this instant.' }),
});
export type ListDeliveriesQuery = z.output<typeof listDeliveriesQuerySchema>;

const replayOneSchema = z.strictObject({
  deliveryId: idSchema.meta({ description: 'This one alone.' }),
});
const replayRangeSchema = z.strictObject({
  from: time.meta({ description: 'Events that were made at or after this instant.' }),
  to: time.optional().meta({ description: 'And before this one. Default: now.' }),
  eventTypes: eventTypesOfCallsSchema.optional().meta({ description: 'Default: those of the endpoint.' }),
  callId: idSchema.optional(),
  statuses: z
    .array(z.enum(['delivered', 'superseded', 'dead', 'missed']))
    .min(1)
    .default(['delivered', 'superseded', 'dead', 'missed'])
    .meta({
      description:
        'What became of them so far. `missed`: nothing was sent, because the endpoint was not there, not enabled, or did not ask for the type. To recover after a failure leave `delivered` out.',
    }),
});
export type ReplayRange = z.output<typeof replayRangeSchema>;

export const replaySchema = z.union([replayOneSchema, replayRangeSchema]).meta({ id: 'ReplayWebhooks' });
export type Replay = z.output<typeof replaySchema>;

export const replayedSchema = z
  .strictObject({
    replayed: z
      .int()
      .min(0)
      .meta({ description: 'Deliveries that are due again. What was due anyway is not counted.' }),
    nextFrom: instantSchema
      .nullable()
      .meta({ description: 'Where one request was not enough: send another with this as `from`. Else null.' }),
  })
  .meta({ id: 'ReplayedWebhooks' });
export type ReplayedView = z.output<typeof replayedSchema>;

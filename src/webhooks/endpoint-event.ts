import { z } from 'zod';
import { idSchema } from '../http/id.js';
import { instantSchema } from '../http/instant.js';

/** What Ringline tells about an endpoint, to those other endpoints of its tenant that ask for it by name. */
export const endpointEventTypes = ['endpoint.failing', 'endpoint.disabled'] as const;
export type EndpointEventType = (typeof endpointEventTypes)[number];

/** What is sent to try an endpoint out. */
export const TEST_EVENT = 'endpoint.test';

/** An event about a webhook endpoint: no call, no sequence. */
export const endpointEventSchema = z
  .strictObject({
    id: idSchema.meta({ description: 'Stable id; the same in every retry.' }),
    type: z.enum([...endpointEventTypes, TEST_EVENT]),
    timestamp: instantSchema,
    tenantId: idSchema,
    data: z.strictObject({
      endpoint: z.strictObject({
        id: idSchema,
        host: z.string().meta({ description: 'Of its URL, whose path may be a secret.' }),
        description: z.string(),
        status: z.enum(['enabled', 'paused', 'disabled']),
        statusReason: z.string().nullable(),
        failingSince: instantSchema.nullable(),
      }),
    }),
  })
  .meta({ id: 'EndpointEvent' });
export type EndpointEvent = z.output<typeof endpointEventSchema>;

type EndpointState = {
  readonly id: string;
  readonly tenantId: string;
  readonly url: string;
  readonly description: string;
  readonly status: EndpointEvent['data']['endpoint']['status'];
  readonly statusReason: string | null;
  readonly failingSince: Date | null;
};

/** @param at ms since the epoch */
export function endpointEvent(
  type: EndpointEvent['type'],
  { id: eventId, at }: { readonly id: string; readonly at: number },
  { id, tenantId, url, description, status, statusReason, failingSince }: EndpointState,
): EndpointEvent {
  const host = new URL(url).host;
  const since = failingSince?.toISOString() ?? null;
  return {
    id: eventId,
    type,
    timestamp: new Date(at).toISOString(),
    tenantId,
    data: { endpoint: { id, host, description, status, statusReason, failingSince: since } },
  };
}

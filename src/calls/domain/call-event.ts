import { z } from 'zod';
import { callSchema, instantSchema } from './call.js';

export const callEventTypes = [
  'call.started',
  'call.ringing',
  'call.answered',
  'call.held',
  'call.resumed',
  'call.transferred',
  'call.ended',
  'call.updated',
  'call.merged',
  'call.recording.ready',
  'call.voicemail',
] as const;

/** What webhooks, the queues and the stream carry: the whole call as of one change. */
export const callEventSchema = z
  .strictObject({
    id: z.uuid().meta({ description: 'Stable id; the same in every retry, and the job id in the queue.' }),
    type: z.enum(callEventTypes),
    timestamp: instantSchema.meta({ description: 'When Ringline learned it.' }),
    tenantId: z.uuid(),
    sequence: z
      .int()
      .min(1)
      .meta({ description: 'Contiguous per call. Apply an event only if it is higher than the one you hold.' }),
    data: z.strictObject({ call: callSchema }),
  })
  .meta({ id: 'CallEvent' });

export type CallEvent = z.output<typeof callEventSchema>;
export type CallEventType = (typeof callEventTypes)[number];

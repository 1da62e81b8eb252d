import { z } from 'zod';
import { idSchema } from '../http/id.js';
import { instantSchema } from '../http/instant.js';
import { pageQueryShape } from '../http/paging.js';
import { callDirections, callOutcomes, callStatuses } from './domain/call.js';
import { recordingActions } from './domain/fact.js';

/** Where a call stands in the history: newest first. */
export const callCursorSchema = z.tuple([instantSchema, idSchema]);
export type CallCursor = z.output<typeof callCursorSchema>;

const time = z.iso.datetime({ offset: true });

export const listCallsQuerySchema = z.strictObject({
  ...pageQueryShape(callCursorSchema),
  agentId: idSchema.optional().meta({ description: 'Calls in which this agent was asked for or took part.' }),
  direction: z.enum(callDirections).optional(),
  outcome: z.enum(callOutcomes).optional(),
  status: z.enum(callStatuses).optional(),
  number: z.string().min(1).max(64).optional().meta({
    description: 'The outside number however it is written in the tenant’s country, an extension, or `anonymous`.',
  }),
  from: time.optional().meta({ description: 'Started at or after this instant.' }),
  to: time.optional().meta({ description: 'Started before this instant.' }),
});
export type ListCallsQuery = z.output<typeof listCallsQuerySchema>;

export const recordingActionSchema = z.enum(recordingActions);

export const timelineSchema = z
  .strictObject({
    items: z.array(
      z.strictObject({
        at: instantSchema,
        text: z.string(),
        estimated: z.boolean().meta({ description: 'Inferred after a gap, not heard.' }),
      }),
    ),
  })
  .meta({ id: 'Timeline' });
export type Timeline = z.output<typeof timelineSchema>;

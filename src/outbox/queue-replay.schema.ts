import { z } from 'zod';
import { idSchema } from '../http/id.js';
import { instantSchema } from '../http/instant.js';

const time = z.iso.datetime({ offset: true });

export const createQueueReplaySchema = z
  .strictObject({
    queue: z.string().min(1).max(64).meta({ description: '`call-events`, or one that `EVENT_QUEUES` names.' }),
    from: time.meta({ description: 'Events that were made at or after this instant.' }),
    to: time.optional().meta({ description: 'And before this one. Default: now.' }),
  })
  .meta({ id: 'CreateQueueReplay' });
export type CreateQueueReplay = z.output<typeof createQueueReplaySchema>;

export const queueReplaySchema = z
  .strictObject({
    id: idSchema,
    queue: z.string(),
    from: instantSchema,
    to: instantSchema,
    added: z.int().min(0).meta({ description: 'Events that were added so far.' }),
    createdAt: instantSchema,
    finishedAt: instantSchema.nullable().meta({ description: 'Null: it goes on, or waits until the queue has room.' }),
  })
  .meta({ id: 'QueueReplay' });
export type QueueReplayView = z.output<typeof queueReplaySchema>;

import { z } from 'zod';
import { idSchema } from '../../http/id.js';
import { instantSchema } from '../../http/instant.js';

const refSchema = z.strictObject({ type: z.string(), id: z.string() });

export const callCrmSchema = z
  .strictObject({
    connectionId: idSchema,
    connectionName: z.string(),
    connectionStatus: z.enum(['enabled', 'paused', 'disabled']),
    adapter: z.string(),
    state: z
      .enum(['due', 'done', 'failed'])
      .meta({ description: '`failed`: nothing more is tried until the call changes or `retry` asks for it.' }),
    wanted: z.int().meta({ description: 'Version of the call that the CRM should have.' }),
    has: z.int().meta({ description: 'Version that it has; 0: none as a whole.' }),
    remoteId: z.string().nullable().meta({ description: 'The CRM’s own id of the call.' }),
    contact: refSchema.extend({ name: z.string() }).nullable(),
    created: refSchema.nullable().meta({ description: 'What was made of a caller whom the CRM did not know.' }),
    recordings: z.array(idSchema).meta({ description: 'Ids of the recordings that it has.' }),
    task: z.strictObject({ id: z.string(), isClosed: z.boolean() }).nullable(),
    words: z.array(z.string()).meta({ description: 'The same for people.' }),
    failedStep: z.string().nullable(),
    failure: z.string().nullable().meta({ description: 'Why the last step did not come about, in words.' }),
    attempts: z.int().min(0).meta({ description: 'Failures in a row.' }),
    nextAttemptAt: instantSchema.nullable().meta({ description: 'Null: nothing is due.' }),
  })
  .meta({ id: 'CallCrm' });
export type CallCrmView = z.output<typeof callCrmSchema>;

export const callCrmsSchema = z.strictObject({ items: z.array(callCrmSchema) }).meta({ id: 'CallCrms' });
export type CallCrmsView = z.output<typeof callCrmsSchema>;

export const crmFailureSchema = z
  .strictObject({
    callId: idSchema,
    failedStep: z.string().nullable(),
    failure: z.string().nullable().meta({ description: 'In words.' }),
    failedAt: instantSchema,
  })
  .meta({ id: 'CrmFailure' });
export type CrmFailureView = z.output<typeof crmFailureSchema>;

const time = z.iso.datetime({ offset: true });
const LONGEST_DAYS = 92;

export const crmBackfillSchema = z
  .strictObject({
    from: time.meta({ description: 'Calls that began at or after this instant.' }),
    to: time.meta({ description: `And before this one; at most ${LONGEST_DAYS} days later.` }),
  })
  .refine(({ from, to }) => Date.parse(from) < Date.parse(to), { path: ['to'], error: 'must be after `from`' })
  .refine(({ from, to }) => Date.parse(to) - Date.parse(from) <= LONGEST_DAYS * 86_400_000, {
    path: ['to'],
    error: `must be at most ${LONGEST_DAYS} days after \`from\``,
  })
  .meta({ id: 'CrmBackfill' });
export type CrmBackfill = z.output<typeof crmBackfillSchema>;

export const crmBackfilledSchema = z
  .strictObject({ due: z.int().min(0).meta({ description: 'Calls that are to be told now.' }) })
  .meta({ id: 'CrmBackfilled' });
export type CrmBackfilled = z.output<typeof crmBackfilledSchema>;

import { z } from 'zod';
import { idSchema } from '../../http/id.js';
import { plainText } from '../../http/plain-text.js';

const crmId = plainText(100);
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: 'must be a time such as 09:00' });
const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

const timeZoneSchema = z.string().refine(isTimeZone, { error: 'must be a time zone such as Europe/Berlin' });

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format(0) !== '';
  } catch {
    return false;
  }
}

const hoursSchema = z
  .strictObject({ days: z.array(z.enum(weekdays)).min(1), from: clock, to: clock })
  .meta({ description: 'From `from` until before `to`, by `timeZone`. `to` before `from` is on the next day.' });

const unknownCallerSchema = z.strictObject({
  lineIds: z.array(idSchema).default([]).meta({ description: 'Empty: every line.' }),
  direction: z.enum(['any', 'inbound', 'outbound']).default('inbound'),
  when: z.enum(['always', 'in-hours', 'out-of-hours']).default('always'),
  make: z
    .enum(['lead', 'contact', 'unsorted', 'task', 'nothing'])
    .meta({ description: 'What the CRM cannot make is refused when the connection is stored.' }),
});

const logSchema = z.strictObject({
  internal: z.boolean().default(false),
  unanswered: z.boolean().default(true).meta({ description: 'Calls in which nobody talked.' }),
  blocked: z.boolean().default(false),
});

const usersSchema = z.strictObject({
  map: z.record(idSchema, crmId).default({}).meta({ description: 'CRM user of an agent, by the agent’s id.' }),
  match: z
    .enum(['none', 'email', 'extension', 'email-or-extension'])
    .default('email-or-extension')
    .meta({ description: 'How the CRM user of an agent is found who is not in `map`.' }),
  defaultUserId: crmId.nullable().default(null).meta({ description: 'Whose calls are that are nobody else’s.' }),
});

const missedCallsSchema = z.strictObject({
  task: z
    .enum(['none', 'owner', 'user'])
    .default('none')
    .meta({ description: '`owner`: for the contact’s owner, else for `userId`.' }),
  userId: crmId.nullable().default(null),
  dueMinutes: z.int().min(1).max(10_080).default(60),
});

const fieldsSchema = z.strictObject({
  dispositions: z
    .record(plainText(100), plainText(200))
    .default({})
    .meta({ description: 'Word of the CRM for a disposition of ours; one that is not here goes as it is.' }),
  set: z
    .record(z.string().regex(/^\w{1,100}$/), z.enum(callFields()))
    .default({})
    .meta({ description: 'Further fields of the CRM’s call, each from a value of ours.' }),
});

export const connectionRulesSchema = z
  .strictObject({
    timeZone: timeZoneSchema.default('UTC').meta({ description: 'Of times in texts, and of `hours`.' }),
    hours: z.array(hoursSchema).default([]).meta({ description: 'Empty: always open.' }),
    log: logSchema.prefault({}),
    users: usersSchema.prefault({}),
    unknownCallers: z.array(unknownCallerSchema).max(50).default([]).meta({ description: 'The first that fits.' }),
    missedCalls: missedCallsSchema.prefault({}),
    ownerRouting: z.boolean().default(false).meta({
      description:
        'An incoming call rings its contact’s owner alone for half of the line’s ring time, at most 10 s, then the line’s agents too. Where the owner is not known within 300 ms all ring at once.',
    }),
    recordings: z
      .enum(['link', 'upload', 'none'])
      .default('link')
      .meta({ description: 'Where the CRM can do one alone, that one.' }),
    fields: fieldsSchema.prefault({}),
  })
  .meta({ id: 'CrmRules' });

export type ConnectionRules = z.output<typeof connectionRulesSchema>;

/** Values of a call that a field of the CRM may be set from. */
export function callFields() {
  return [
    'id',
    'outcome',
    'reason',
    'disposition',
    'tags',
    'note',
    'line',
    'waitSeconds',
    'talkSeconds',
    'hangupBy',
  ] as const;
}

import { z } from 'zod';
import { idSchema } from '../http/id.js';
import { instantSchema } from '../http/instant.js';
import { plainText } from '../http/plain-text.js';
import { crmAnswers } from './contact-lookup.js';
import { agreements, matchReasons } from './match.js';

export const contactMatchSchema = z
  .strictObject({
    connectionId: idSchema,
    type: z.string().meta({ description: 'In the CRM’s own word.' }),
    id: z.string().meta({ description: 'The CRM’s own.' }),
    kind: z.enum(['contact', 'lead', 'company']),
    name: z.string().meta({ description: 'Untrusted text.' }),
    company: z.string().nullable(),
    ownerId: z.string().nullable().meta({ description: 'CRM user whose it is.' }),
    url: z.string().nullable().meta({ description: 'Where a person sees it.' }),
    number: z.string().nullable().meta({
      description: 'As the CRM has it; null for one that has another number, and that an agent picked.',
    }),
    agreement: z.enum(agreements).nullable().meta({
      description:
        '`exact`: the same E.164 number. `national`: the same but for the calling code, which one of both lacks. `extension`: a short number. `last-digits`: it ends alike, and is shown only where nobody has more.',
    }),
    score: z.number().meta({ description: 'Sum of what the reasons weigh; see docs/contacts.md.' }),
    reasons: z.array(z.enum(matchReasons)),
    lastTalkAt: instantSchema.nullable().meta({ description: 'When this number was last talked to as theirs.' }),
  })
  .meta({ id: 'ContactMatch' });

export const lookUpContactsQuerySchema = z.strictObject({
  number: z.string().min(1).max(64).meta({ description: 'However it is written in the tenant’s country.' }),
  agentId: idSchema.optional().meta({ description: 'Whose own contacts stand before those of others.' }),
});
export type LookUpContactsQuery = z.output<typeof lookUpContactsQuerySchema>;

export const contactLookupSchema = z
  .strictObject({
    e164: z.string().nullable().meta({ description: 'The number as it was understood; null where it is none.' }),
    matches: z.array(contactMatchSchema).meta({ description: 'The likeliest first, at most 20.' }),
    asked: z
      .array(
        z.strictObject({
          connectionId: idSchema,
          answer: z.enum(crmAnswers).meta({
            description:
              '`late`: it had not answered within 300 ms; what it says then is kept, so ask again in a moment.',
          }),
          why: z.string().nullable(),
        }),
      )
      .meta({ description: 'CRMs that were asked, because Ringline’s index had nobody with this number.' }),
  })
  .meta({ id: 'ContactLookup' });
export type ContactLookupView = z.output<typeof contactLookupSchema>;

const crmId = plainText(200);

export const pickContactSchema = z
  .strictObject({
    connectionId: idSchema,
    type: crmId.meta({ description: 'In the CRM’s own word, as a match has it.' }),
    id: crmId,
    name: plainText(300).optional().meta({ description: 'Of one that Ringline does not know yet.' }),
    kind: z.enum(['contact', 'lead', 'company']).default('contact').meta({ description: 'The same.' }),
  })
  .meta({ id: 'PickContact' });
export type PickContact = z.output<typeof pickContactSchema>;

export const pickedContactSchema = z
  .strictObject({
    callId: idSchema,
    connectionId: idSchema,
    type: z.string(),
    id: z.string(),
    number: z.string().nullable().meta({ description: 'For which it is remembered; null for an anonymous caller.' }),
    pickedAt: instantSchema,
  })
  .meta({ id: 'PickedContact' });
export type PickedContact = z.output<typeof pickedContactSchema>;

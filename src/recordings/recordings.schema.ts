import { z } from 'zod';
import { idSchema } from '../http/id.js';
import { instantSchema } from '../http/instant.js';

/** How long a link for playing lives, seconds. */
const PLAY_SECONDS = { least: 120, most: 900, usual: 300 } as const;

export const createRecordingLinkSchema = z
  .discriminatedUnion('purpose', [
    z.strictObject({
      purpose: z.literal('play').meta({ description: 'For a player: signed, and gone after some minutes.' }),
      expiresInSeconds: z.int().min(PLAY_SECONDS.least).max(PLAY_SECONDS.most).default(PLAY_SECONDS.usual),
    }),
    z.strictObject({
      purpose: z
        .literal('crm')
        .meta({ description: 'For a CRM’s record: lives as long as the recording, or until it is revoked.' }),
    }),
  ])
  .meta({ id: 'CreateRecordingLink' });
export type CreateRecordingLink = z.output<typeof createRecordingLinkSchema>;

export const recordingLinkSchema = z
  .strictObject({
    id: idSchema.nullable().meta({ description: 'To revoke it; null for a link that expires by itself.' }),
    purpose: z.enum(['play', 'crm']),
    url: z.url().meta({ description: 'Whoever has it can hear the recording. Shown once.' }),
    expiresAt: instantSchema.nullable(),
  })
  .meta({ id: 'RecordingLink' });
export type RecordingLinkView = z.output<typeof recordingLinkSchema>;

export const standingLinksSchema = z
  .strictObject({ items: z.array(z.strictObject({ id: idSchema, createdAt: instantSchema })) })
  .meta({ id: 'RecordingLinks' });
export type StandingLinks = z.output<typeof standingLinksSchema>;

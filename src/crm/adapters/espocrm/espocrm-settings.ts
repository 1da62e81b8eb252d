import { z } from 'zod';
import { clickSecretSetting } from '../../port/signed-click.js';

const field = z
  .string()
  .trim()
  .regex(/^[a-z]\w{0,99}$/i, { error: 'must be the name of a field, such as cRinglineId' })
  .nullable()
  .default(null);

export const espocrmSettings = z.object({
  url: z
    .url({ protocol: /^https?$/ })
    .max(300)
    .meta({ description: 'Where people open EspoCRM, such as https://crm.example.com.' }),
  apiKey: z.string().trim().min(1).max(200).meta({ description: 'Of an API user with authentication method API Key.' }),
  idField: field.meta({
    description: 'Text field of Call for Ringline’s id of a call. Null: the id stands in the description.',
  }),
  recordingField: field.meta({
    description: 'File field of Call for recordings that are uploaded. Null: they are linked only.',
  }),
  recordingUrlField: field.meta({
    description: 'URL field of Call for the link to a recording. Null: the link stands in the description.',
  }),
  extensionField: field.meta({
    description: 'Text field of User with the extension. Null: users are known by e-mail or by the rules’ map.',
  }),
  webhookSecrets: z
    .array(z.string().trim().min(1).max(200))
    .max(20)
    .default([])
    .meta({ description: 'Secret key of each webhook that EspoCRM sends to the door.' }),
  clickSecret: clickSecretSetting,
});
export type EspocrmSettings = z.output<typeof espocrmSettings>;

export function siteOf({ url }: Pick<EspocrmSettings, 'url'>): string {
  return url.replace(/\/+$/, '');
}

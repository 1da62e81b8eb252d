import { z } from 'zod';
import { clickSecretSetting } from '../../port/signed-click.js';

export const odooSettings = z.object({
  url: z
    .url({ protocol: /^https?$/ })
    .max(300)
    .meta({ description: 'Where people open Odoo, such as https://example.odoo.com.' }),
  database: z.string().trim().min(1).max(100).meta({ description: 'Name of the database.' }),
  login: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .nullable()
    .default(null)
    .meta({ description: 'Of the user whom Ringline acts as. Needed up to Odoo 18.' }),
  apiKey: z.string().trim().min(1).max(200).meta({ description: 'An API key of that user.' }),
  version: z
    .enum(['auto', '14-18', '19+'])
    .default('auto')
    .meta({ description: 'Which API is spoken: JSON-RPC up to 18, JSON-2 from 19 on. `auto` asks the server.' }),
  calls: z.enum(['auto', 'phonecall', 'chatter']).default('auto').meta({
    description:
      'What a call is: a `crm.phonecall` of the add-on of that name, or a note in the contact’s chatter. `auto` looks whether the add-on is there.',
  }),
  hasLeads: z.boolean().default(true).meta({ description: 'Whether the app CRM is installed.' }),
  extensionField: z
    .string()
    .trim()
    .regex(/^[a-z]\w{0,99}$/i, { error: 'must be the name of a field, such as x_extension' })
    .nullable()
    .default(null)
    .meta({
      description: 'Text field of the user with the extension. Null: users are known by e-mail or by the rules’ map.',
    }),
  webhookToken: z.string().trim().min(16).max(200).nullable().default(null).meta({
    description: 'What stands in `token=` of the address to which Odoo tells of changed contacts. Null: it does not.',
  }),
  clickSecret: clickSecretSetting,
});
export type OdooSettings = z.output<typeof odooSettings>;

export function siteOf({ url }: Pick<OdooSettings, 'url'>): string {
  return url.replace(/\/+$/, '');
}

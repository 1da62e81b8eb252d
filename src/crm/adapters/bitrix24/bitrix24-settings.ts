import { z } from 'zod';

const secret = z.string().trim().min(1).max(500);

export const bitrix24Settings = z.object({
  portal: z
    .url({ protocol: /^https?$/ })
    .max(300)
    .meta({ description: 'Address of your Bitrix24, such as https://example.bitrix24.com.' }),
  clientId: z.string().trim().min(1).max(200).meta({ description: 'Of the local application: “client_id”.' }),
  clientSecret: secret.meta({ description: 'Of the local application: “client_secret”.' }),
  refreshToken: secret.meta({ description: 'REFRESH_ID, as Bitrix24 gave it when the application was installed.' }),
  applicationToken: secret.meta({ description: 'APPLICATION_TOKEN of the same moment; every event carries it.' }),
  authServer: z
    .url({ protocol: /^https?$/ })
    .max(300)
    .default('https://oauth.bitrix.info')
    .meta({ description: 'Where tokens are refreshed.' }),
  plan: z
    .enum(['enterprise', 'other'])
    .default('other')
    .meta({ description: 'The Enterprise plan may be asked more often. A server of your own counts as it.' }),
  createLeads: z.boolean().default(false).meta({
    description: 'Bitrix24 itself makes a lead of an unknown number. Then let no rule of Ringline make one too.',
  }),
});
export type Bitrix24Settings = z.output<typeof bitrix24Settings>;

export function portalOf({ portal }: Pick<Bitrix24Settings, 'portal'>): string {
  return portal.replace(/\/+$/, '');
}

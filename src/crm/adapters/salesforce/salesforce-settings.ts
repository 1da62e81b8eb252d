import { z } from 'zod';
import { clickSecretSetting } from '../../port/signed-click.js';

/** An API name of a custom field. */
const customField = z
  .string()
  .regex(/^[A-Za-z]\w{0,78}__c$/, { error: 'must be the API name of a custom field, such as Ringline_Id__c' });
const credential = z.string().trim().min(1).max(2000);
const status = z.string().trim().min(1).max(40);

export const salesforceSettings = z.object({
  url: z
    .url({ protocol: /^https?$/ })
    .refine(isMyDomain, { error: 'must be My Domain, such as https://acme.my.salesforce.com' })
    .meta({ description: 'My Domain, such as https://acme.my.salesforce.com' }),
  clientId: credential.meta({ description: 'Consumer key of the connected app' }),
  clientSecret: credential.meta({ description: 'Consumer secret of the connected app' }),
  refreshToken: credential
    .nullable()
    .default(null)
    .meta({ description: 'Null: the app signs in as its run-as user (client credentials).' }),
  idField: customField
    .default('Ringline_Id__c')
    .meta({ description: 'Of activities: text, external ID, unique. It holds our id.' }),
  recordingField: customField
    .nullable()
    .default(null)
    .meta({ description: 'Of activities: URL. Null: recordings are not linked.' }),
  numberField: customField
    .nullable()
    .default(null)
    .meta({ description: 'Of activities: phone. It holds the number of the outside party.' }),
  startedAtField: customField
    .nullable()
    .default(null)
    .meta({ description: 'Of activities: date and time. A task itself has a day only.' }),
  openStatus: status.default('In Progress').meta({ description: 'Of a task, while the call goes on' }),
  closedStatus: status
    .default('Completed')
    .meta({ description: 'Of a task, when it is over. One that counts as closed.' }),
  dailyRequests: z
    .int()
    .min(1000)
    .max(100_000_000)
    .default(50_000)
    .meta({ description: 'How many of the organization’s daily API requests Ringline may use.' }),
  clickSecret: clickSecretSetting,
});
export type SalesforceSettings = z.output<typeof salesforceSettings>;

export function siteOf({ url }: Pick<SalesforceSettings, 'url'>): string {
  return url.replace(/\/+$/, '');
}

/** The address that the browser shows has no API. */
function isMyDomain(url: string): boolean {
  return !/\.lightning\.force\.com\/?$/i.test(url);
}

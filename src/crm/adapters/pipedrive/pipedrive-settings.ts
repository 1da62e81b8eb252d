import { z } from 'zod';
import { clickSecretSetting } from '../../port/signed-click.js';

export const pipedriveSettings = z.object({
  url: z.url({ protocol: /^https?$/ }).meta({ description: 'Such as https://acme.pipedrive.com' }),
  apiToken: z.string().trim().min(1).max(200).meta({ description: 'Of an admin: Personal preferences, API.' }),
  mode: z.enum(['call-log', 'activity']).default('call-log').meta({
    description:
      '`call-log`: one call log when the call is over, with its recording; it cannot be changed. `activity`: a call activity from the first ring on.',
  }),
  activityType: z
    .string()
    .regex(/^\w{1,50}$/)
    .default('call')
    .meta({ description: 'Key of the activity type of calls. In mode `call-log` it is always `call`.' }),
  dailyTokens: z
    .int()
    .min(1000)
    .max(1_000_000_000)
    .default(30_000)
    .meta({ description: 'How much of the company’s daily token budget Ringline may use.' }),
  burst: z
    .int()
    .min(10)
    .max(1000)
    .default(20)
    .meta({ description: 'Requests in 2 s: 20 with Lite, 40 Growth, 80 Premium, 120 Ultimate.' }),
  clickSecret: clickSecretSetting,
});
export type PipedriveSettings = z.output<typeof pipedriveSettings>;

export function siteOf({ url }: Pick<PipedriveSettings, 'url'>): string {
  return url.replace(/\/+$/, '');
}

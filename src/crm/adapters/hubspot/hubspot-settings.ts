import { z } from 'zod';
import { clickSecretSetting } from '../../port/signed-click.js';

export const hubspotSettings = z.object({
  accessToken: z
    .string()
    .trim()
    .min(1)
    .max(500)
    .meta({ description: 'Of the private app: Settings, Integrations, Private Apps, Auth.' }),
  plan: z
    .enum(['free-or-starter', 'professional', 'enterprise'])
    .default('professional')
    .meta({ description: 'The highest of the account: by it HubSpot limits how often it may be asked.' }),
  apiUrl: z
    .url({ protocol: /^https?$/ })
    .default('https://api.hubapi.com')
    .meta({ description: 'The same for accounts in every region.' }),
  clickSecret: clickSecretSetting,
});
export type HubspotSettings = z.output<typeof hubspotSettings>;

/** A private app's, in 10 s and in a day. */
export const plans: Readonly<Record<HubspotSettings['plan'], { readonly burst: number; readonly daily: number }>> = {
  'free-or-starter': { burst: 100, daily: 250_000 },
  professional: { burst: 190, daily: 650_000 },
  enterprise: { burst: 190, daily: 1_000_000 },
};

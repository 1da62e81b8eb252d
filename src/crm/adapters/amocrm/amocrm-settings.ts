import { z } from 'zod';

const secret = z.string().trim().min(1).max(5000);

export const amocrmSettings = z
  .object({
    domain: z
      .url({ protocol: /^https?$/ })
      .max(300)
      .meta({ description: 'Address of your account: https://example.amocrm.ru or https://example.kommo.com.' }),
    accessToken: secret.optional().meta({ description: 'A long-lived token. Else the four below.' }),
    clientId: z.string().trim().min(1).max(200).optional().meta({ description: '“Integration ID”.' }),
    clientSecret: secret.optional().meta({ description: '“Secret key” of the integration.' }),
    redirectUri: z.url().max(300).optional().meta({ description: 'Exactly as the integration has it.' }),
    refreshToken: secret.optional().meta({ description: 'As it was given for the authorization code.' }),
    doorSecret: secret
      .optional()
      .meta({ description: 'What the widget proves itself with. Without one no click is heeded.' }),
    unknownNumbers: z.enum(['kept', 'left-out']).default('kept').meta({
      description:
        'amoCRM keeps a call on a card only. `kept`: an incoming call of an unknown number is an incoming lead, an outgoing one makes a contact.',
    }),
    pipelineId: z
      .int()
      .positive()
      .optional()
      .meta({ description: 'Of leads that Ringline makes; the main one unless given.' }),
    serviceCode: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .default('ringline')
      .meta({ description: 'Code of your telephony widget, for unsorted calls.' }),
  })
  .refine((settings) => settings.accessToken !== undefined || oauthOf(settings) !== null, {
    error: 'must be given, or else clientId, clientSecret, redirectUri and refreshToken',
    path: ['accessToken'],
  });
export type AmocrmSettings = z.output<typeof amocrmSettings>;

type OAuthSettings = {
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  readonly redirectUri?: string | undefined;
  readonly refreshToken?: string | undefined;
};
type OAuthKeys = {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUri: string;
  readonly refreshToken: string;
};

/** Null unless all four are there. */
export function oauthOf({ clientId, clientSecret, redirectUri, refreshToken }: OAuthSettings): OAuthKeys | null {
  if (clientId === undefined || clientSecret === undefined || redirectUri === undefined || refreshToken === undefined) {
    return null;
  }
  return { clientId, clientSecret, redirectUri, refreshToken };
}

export function baseUrlOf({ domain }: Pick<AmocrmSettings, 'domain'>): string {
  return domain.replace(/\/+$/, '');
}

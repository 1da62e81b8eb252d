import { z } from 'zod';
import { clickSecretSetting } from '../../port/signed-click.js';
import type { Auth } from '../../port/crm-client.js';
import { faultsOf } from './check-description.js';
import { descriptionShape } from './description-shape.js';

/** A description is no place for data; with the rest of a connection it has to fit into a request of 64 kB. */
const MOST_BYTES = 49_152;

const secret = z.string().trim().min(1).max(4_000).nullable().default(null);

export const jsonSettings = z
  .object({
    url: z
      .url({ protocol: /^https?$/ })
      .max(300)
      .meta({ description: 'Where the CRM is, such as https://crm.example.com; the description’s basePath follows.' }),
    description: descriptionShape
      .superRefine((description, context) => {
        if (JSON.stringify(description).length > MOST_BYTES) {
          context.addIssue({ code: 'custom', message: `must be at most ${MOST_BYTES / 1024} kB` });
        }
        for (const { place, fault } of faultsOf(description)) {
          context.addIssue({ code: 'custom', path: [...place], message: fault });
        }
      })
      .meta({ description: 'How to speak with it; see the adapter’s README.' }),
    user: z.string().trim().min(1).max(200).nullable().default(null),
    password: secret.meta({ description: 'Of `user`.' }),
    token: secret.meta({ description: 'What stands in the header of auth `header`.' }),
    clientId: z.string().trim().min(1).max(300).nullable().default(null),
    clientSecret: secret.meta({ description: 'OAuth 2.' }),
    refreshToken: secret.meta({ description: 'OAuth 2: the first one.' }),
    clickSecret: clickSecretSetting,
  })
  .superRefine((settings, context) => {
    for (const name of neededFor(settings.description.auth)) {
      if (settings[name] === null) {
        context.addIssue({ code: 'custom', path: [name], message: 'is needed by the description’s auth' });
      }
    }
  });
export type JsonSettings = z.output<typeof jsonSettings>;

function neededFor(auth: JsonSettings['description']['auth']) {
  switch (auth.kind) {
    case 'none':
      return [];
    case 'basic':
      return ['user', 'password'] as const;
    case 'header':
      return ['token'] as const;
    case 'oauth2': {
      const client = ['clientId', 'clientSecret'] as const;
      if (auth.grant === 'password') return [...client, 'user', 'password'] as const;
      return auth.grant === 'refresh_token' ? ([...client, 'refreshToken'] as const) : client;
    }
  }
}

export function siteOf({ url }: Pick<JsonSettings, 'url'>): string {
  return url.replace(/\/+$/, '');
}

export function authOf(settings: JsonSettings, isExpired: Extract<Auth, { kind: 'oauth2' }>['isExpired']): Auth {
  const { description, user, password, token, clientId, clientSecret, refreshToken } = settings;
  const { auth } = description;
  switch (auth.kind) {
    case 'none':
      return { kind: 'none' };
    case 'basic':
      return { kind: 'basic', user: user ?? '', password: password ?? '' };
    case 'header':
      return { kind: 'headers', headers: { [auth.name]: `${auth.prefix}${token ?? ''}` } };
    case 'oauth2': {
      const { grant, tokenPath, fields, moreFields, place } = auth;
      // RFC 6749, 4.3: the same request with a person's name and password.
      const person = { grant_type: 'password', username: user ?? '', password: password ?? '' };
      return {
        kind: 'oauth2',
        tokenUrl: tokenPath,
        grant: grant === 'password' ? 'client_credentials' : grant,
        clientId: clientId ?? '',
        clientSecret: clientSecret ?? '',
        ...(grant === 'refresh_token' && refreshToken !== null && { refreshToken }),
        fields,
        moreFields: { ...moreFields, ...(grant === 'password' && person) },
        place,
        ...(isExpired && { isExpired }),
      };
    }
  }
}

import { defineCrmAdapter } from '../../port/crm-adapter.js';
import type { Auth } from '../../port/crm-client.js';
import { parseInbound } from './amocrm-door.js';
import { AmocrmSession } from './amocrm-session.js';
import { amocrmSettings, baseUrlOf, oauthOf, type AmocrmSettings } from './amocrm-settings.js';

export const amocrm = defineCrmAdapter({
  name: 'amocrm',
  title: 'amoCRM / Kommo',
  settings: amocrmSettings,
  secrets: ['accessToken', 'clientSecret', 'refreshToken', 'doorSecret'],
  capabilities: ({ doorSecret }) => ({
    live: false,
    updateAfterClose: false,
    // `uniq` is kept and can be read again; that a second call with it is refused is not documented.
    idempotency: 'find',
    search: true,
    contactSync: true,
    users: true,
    pop: true,
    recording: 'link',
    note: 'beside',
    creates: ['unsorted', 'contact', 'lead'],
    tasks: true,
    remove: false,
    cost: false,
    doors: doorSecret === undefined ? [] : ['dial'],
    limits: [{ kind: 'window', requests: 7, seconds: 1 }],
  }),
  baseUrl: baseUrlOf,
  auth: authOf,
  connect: (client, settings) => new AmocrmSession(client, settings),
  parseInbound,
});

/** @throws {Error} for settings that the schema has not let through */
function authOf(settings: AmocrmSettings): Auth {
  if (settings.accessToken !== undefined) {
    return { kind: 'headers', headers: { authorization: `Bearer ${settings.accessToken}` } };
  }
  const oauth = oauthOf(settings);
  if (oauth === null) throw new Error('amoCRM needs a long-lived token, or an integration with a refresh token');
  const { redirectUri, ...keys } = oauth;
  return {
    kind: 'oauth2',
    tokenUrl: '/oauth2/access_token',
    grant: 'refresh_token',
    ...keys,
    fields: 'json',
    moreFields: { redirect_uri: redirectUri },
    place: 'bearer',
  };
}

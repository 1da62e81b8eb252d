import { defineCrmAdapter } from '../../port/crm-adapter.js';
import { errorOf } from './bitrix24-api.js';
import { parseInbound } from './bitrix24-door.js';
import { Bitrix24Session } from './bitrix24-session.js';
import { bitrix24Settings, portalOf } from './bitrix24-settings.js';

export const bitrix24 = defineCrmAdapter({
  name: 'bitrix24',
  title: 'Bitrix24',
  settings: bitrix24Settings,
  secrets: ['clientSecret', 'refreshToken', 'applicationToken'],
  capabilities: ({ plan }) => ({
    live: true,
    updateAfterClose: false,
    idempotency: 'key',
    search: true,
    contactSync: true,
    users: true,
    pop: 'opens-call',
    recording: 'both',
    note: 'beside',
    creates: ['lead', 'contact'],
    tasks: true,
    // A line of the statistics cannot be removed by anybody's API.
    remove: false,
    cost: true,
    doors: ['dial', 'call-back', 'contacts-changed'],
    limits: [
      plan === 'enterprise'
        ? { kind: 'bucket', capacity: 250, perSecond: 5 }
        : { kind: 'bucket', capacity: 50, perSecond: 2 },
    ],
  }),
  baseUrl: portalOf,
  auth: ({ authServer, clientId, clientSecret, refreshToken }) => ({
    kind: 'oauth2',
    tokenUrl: `${authServer.replace(/\/+$/, '')}/oauth/token/`,
    grant: 'refresh_token',
    clientId,
    clientSecret,
    refreshToken,
    fields: 'query',
    place: { query: 'auth' },
    isExpired: (answer) => errorOf(answer)?.code === 'expired_token',
  }),
  connect: (client, settings) => new Bitrix24Session(client, settings),
  parseInbound,
});

import { defineCrmAdapter } from '../../port/crm-adapter.js';
import { readSignedClick } from '../../port/signed-click.js';
import { SEARCH } from './hubspot-contacts.js';
import { HubspotSession } from './hubspot-session.js';
import { hubspotSettings, plans } from './hubspot-settings.js';

export const hubspot = defineCrmAdapter({
  name: 'hubspot',
  title: 'HubSpot',
  settings: hubspotSettings,
  secrets: ['accessToken', 'clickSecret'],
  capabilities: ({ plan, clickSecret }) => ({
    live: true,
    updateAfterClose: true,
    idempotency: 'key',
    search: true,
    contactSync: true,
    users: true,
    // Only a calling app that HubSpot has listed, in its own frame in the browser, opens anything.
    pop: false,
    recording: 'link',
    note: 'in-call',
    creates: ['contact'],
    tasks: true,
    remove: true,
    cost: false,
    doors: clickSecret === null ? [] : ['dial'],
    limits: [
      { kind: 'window', requests: plans[plan].burst, seconds: 10 },
      { kind: 'window', requests: 4, seconds: 1, lane: SEARCH },
      { kind: 'daily', budget: plans[plan].daily },
    ],
  }),
  baseUrl: ({ apiUrl }) => apiUrl.replace(/\/+$/, ''),
  auth: ({ accessToken }) => ({ kind: 'headers', headers: { authorization: `Bearer ${accessToken}` } }),
  connect: (client) => new HubspotSession(client),
  parseInbound: (request, { clickSecret }) => readSignedClick(request, clickSecret, ['contact', 'company']),
});

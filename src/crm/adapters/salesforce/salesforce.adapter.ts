import { defineCrmAdapter } from '../../port/crm-adapter.js';
import { readSignedClick } from '../../port/signed-click.js';
import { salesforceSession } from './salesforce-session.js';
import { salesforceSettings, siteOf } from './salesforce-settings.js';

export const salesforce = defineCrmAdapter({
  name: 'salesforce',
  title: 'Salesforce',
  settings: salesforceSettings,
  secrets: ['clientSecret', 'refreshToken', 'clickSecret'],
  capabilities: ({ recordingField, dailyRequests, clickSecret }) => ({
    live: true,
    updateAfterClose: true,
    idempotency: 'key',
    search: true,
    contactSync: true,
    users: true,
    // A server cannot open anything there; Open CTI can, in a softphone's frame in the agent's own browser.
    pop: false,
    recording: recordingField === null ? 'none' : 'link',
    note: 'in-call',
    creates: ['lead', 'contact'],
    tasks: true,
    remove: true,
    cost: false,
    doors: clickSecret === null ? [] : ['dial'],
    limits: [
      { kind: 'daily', budget: dailyRequests },
      // 25 that last longer than 20 s; 5 in a developer's organization.
      { kind: 'concurrent', most: 5 },
    ],
  }),
  baseUrl: siteOf,
  auth: ({ clientId, clientSecret, refreshToken }) => ({
    kind: 'oauth2',
    tokenUrl: '/services/oauth2/token',
    grant: refreshToken === null ? 'client_credentials' : 'refresh_token',
    clientId,
    clientSecret,
    ...(refreshToken !== null && { refreshToken }),
    fields: 'form',
    place: 'bearer',
  }),
  connect: (client, settings) => salesforceSession(client, settings),
  parseInbound: (request, { clickSecret }) => readSignedClick(request, clickSecret, ['Contact', 'Lead', 'Account']),
});

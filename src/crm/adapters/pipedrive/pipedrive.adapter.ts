import { defineCrmAdapter } from '../../port/crm-adapter.js';
import { readSignedClick } from '../../port/signed-click.js';
import { cost, LEAST_COST, SEARCH } from './pipedrive-api.js';
import { pipedriveSession } from './pipedrive-session.js';
import { pipedriveSettings, siteOf } from './pipedrive-settings.js';

const SEARCHES_IN_2_S = 10;

export const pipedrive = defineCrmAdapter({
  name: 'pipedrive',
  title: 'Pipedrive',
  settings: pipedriveSettings,
  secrets: ['apiToken', 'clickSecret'],
  capabilities: ({ mode, dailyTokens, burst, clickSecret }) => ({
    live: mode === 'activity',
    updateAfterClose: mode === 'activity',
    idempotency: 'find',
    search: true,
    contactSync: true,
    users: true,
    // A server can open nothing in it.
    pop: false,
    recording: mode === 'activity' ? 'link' : 'upload',
    // A call log takes what is known when it is made, and nothing later.
    note: mode === 'activity' ? 'in-call' : 'none',
    creates: ['lead', 'contact'],
    tasks: true,
    remove: true,
    cost: false,
    doors: clickSecret === null ? [] : ['dial'],
    limits: [
      { kind: 'daily', budget: dailyTokens },
      { kind: 'window', requests: burst * LEAST_COST, seconds: 2 },
      { kind: 'window', requests: SEARCHES_IN_2_S * cost.v2.search, seconds: 2, lane: SEARCH },
    ],
  }),
  baseUrl: (settings) => `${siteOf(settings)}/api`,
  auth: ({ apiToken }) => ({ kind: 'headers', headers: { 'x-api-token': apiToken } }),
  connect: (client, settings) => pipedriveSession(client, settings),
  parseInbound: (request, { clickSecret }) => readSignedClick(request, clickSecret, ['person', 'organization', 'lead']),
});

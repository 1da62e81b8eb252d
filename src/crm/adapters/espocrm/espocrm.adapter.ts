import { defineCrmAdapter } from '../../port/crm-adapter.js';
import { parseInbound } from './espocrm-door.js';
import { EspocrmSession } from './espocrm-session.js';
import { espocrmSettings, siteOf } from './espocrm-settings.js';

export const espocrm = defineCrmAdapter({
  name: 'espocrm',
  title: 'EspoCRM',
  settings: espocrmSettings,
  secrets: ['apiKey', 'webhookSecrets', 'clickSecret'],
  capabilities: ({ recordingField, webhookSecrets, clickSecret }) => ({
    live: true,
    updateAfterClose: true,
    idempotency: 'find',
    search: true,
    contactSync: true,
    users: true,
    // Its pop-ups come from classes on its own server: that takes an extension.
    pop: false,
    recording: recordingField === null ? 'link' : 'both',
    note: 'in-call',
    creates: ['lead', 'contact'],
    tasks: true,
    remove: true,
    cost: false,
    doors: [
      ...(clickSecret === null ? [] : (['dial'] as const)),
      ...(webhookSecrets.length === 0 ? [] : (['contacts-changed'] as const)),
    ],
    // It has none of its own; the company's server is spared.
    limits: [{ kind: 'concurrent', most: 10 }],
  }),
  baseUrl: (settings) => `${siteOf(settings)}/api/v1`,
  auth: ({ apiKey }) => ({ kind: 'headers', headers: { 'x-api-key': apiKey } }),
  connect: (client, settings) => new EspocrmSession(client, settings),
  parseInbound,
});

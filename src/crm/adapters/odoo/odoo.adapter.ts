import { defineCrmAdapter } from '../../port/crm-adapter.js';
import { parseInbound } from './odoo-door.js';
import { OdooSession } from './odoo-session.js';
import { odooSettings, siteOf } from './odoo-settings.js';

export const odoo = defineCrmAdapter({
  name: 'odoo',
  title: 'Odoo',
  settings: odooSettings,
  secrets: ['apiKey', 'webhookToken', 'clickSecret'],
  capabilities: ({ hasLeads, webhookToken, clickSecret }) => ({
    live: true,
    updateAfterClose: true,
    idempotency: 'find',
    search: true,
    contactSync: true,
    users: true,
    // Its bus takes messages from modules on the server only.
    pop: false,
    recording: 'both',
    note: 'in-call',
    creates: hasLeads ? ['lead', 'contact'] : ['contact'],
    tasks: true,
    remove: true,
    cost: false,
    doors: [
      ...(clickSecret === null ? [] : (['dial'] as const)),
      ...(webhookToken === null ? [] : (['contacts-changed'] as const)),
    ],
    // It has none of its own, and few workers, which people need as well.
    limits: [{ kind: 'concurrent', most: 4 }],
  }),
  baseUrl: siteOf,
  // JSON-RPC has the key in the body, and heeds no header.
  auth: ({ apiKey, database }) => ({
    kind: 'headers',
    headers: { authorization: `bearer ${apiKey}`, 'x-odoo-database': database },
  }),
  connect: (client, settings) => new OdooSession(client, settings),
  parseInbound,
});

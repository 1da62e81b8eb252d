import { amocrm } from '../../../src/crm/adapters/amocrm/amocrm.adapter.js';
import { startSimulator as startAmocrm } from '../../../src/crm/adapters/amocrm/simulator.test-support.js';
import { bitrix24 } from '../../../src/crm/adapters/bitrix24/bitrix24.adapter.js';
import { startSimulator as startBitrix24 } from '../../../src/crm/adapters/bitrix24/simulator.test-support.js';
import { espocrm } from '../../../src/crm/adapters/espocrm/espocrm.adapter.js';
import { startSimulator as startEspocrm } from '../../../src/crm/adapters/espocrm/simulator.test-support.js';
import { hubspot } from '../../../src/crm/adapters/hubspot/hubspot.adapter.js';
import { startSimulator as startHubspot } from '../../../src/crm/adapters/hubspot/simulator.test-support.js';
import { json } from '../../../src/crm/adapters/json/json.adapter.js';
import { startSimulator as startSuitecrm } from '../../../src/crm/adapters/json/suitecrm-simulator.test-support.js';
import { pipedrive } from '../../../src/crm/adapters/pipedrive/pipedrive.adapter.js';
import { startSimulator as startPipedrive } from '../../../src/crm/adapters/pipedrive/simulator.test-support.js';
import { salesforce } from '../../../src/crm/adapters/salesforce/salesforce.adapter.js';
import { startSimulator as startSalesforce } from '../../../src/crm/adapters/salesforce/simulator.test-support.js';
import { odoo } from '../../../src/crm/adapters/odoo/odoo.adapter.js';
import { startSimulator as startOdoo } from '../../../src/crm/adapters/odoo/simulator.test-support.js';
import type { KitEntry } from './kit/scene.js';
import { toyAdapter } from './toy/toy-adapter.js';
import { startSimulator as startToy } from './toy/toy-simulator.js';

/** A note in a chatter has a text, an author and a place. */
export const noteLacks = ['direction', 'number', 'seconds', 'wasAnswered'] as const;

/** Every adapter with its simulator, and what its vendor has no field for. */
export const kitEntries: readonly KitEntry[] = [
  { adapter: toyAdapter, startSimulator: startToy },
  // A finished call has no text; that of one in which nobody talked is its reason.
  { adapter: bitrix24, startSimulator: startBitrix24, lacks: ['text'] },
  // The numbers of the kit are unknown: its calls are unsorted, where a call has no text. On cards it has: see its own tests.
  { adapter: amocrm, startSimulator: () => startAmocrm({ limits: [] }), lacks: ['text'], refuses: ['internal'] },
  { adapter: espocrm, startSimulator: startEspocrm, variant: 'with its fields', lacks: ['number'] },
  {
    adapter: espocrm,
    startSimulator: () => startEspocrm({ hasFields: false }),
    variant: 'as it is installed',
    lacks: ['number'],
  },
  { adapter: hubspot, startSimulator: startHubspot },
  // A call of SuiteCRM has no number of its own: its title and text tell it.
  { adapter: json, startSimulator: startSuitecrm, variant: 'SuiteCRM with client credentials', lacks: ['number'] },
  {
    adapter: json,
    startSimulator: () => startSuitecrm({ grant: 'password' }),
    variant: 'SuiteCRM with a password',
    lacks: ['number'],
  },
  {
    adapter: pipedrive,
    startSimulator: () => startPipedrive({ burst: null, dailyTokens: 1_000_000 }),
    variant: 'with call logs',
  },
  {
    adapter: pipedrive,
    startSimulator: () => startPipedrive({ mode: 'activity', burst: null, dailyTokens: 1_000_000 }),
    variant: 'with activities',
    // An activity has no fields for them: its title and note tell them.
    lacks: ['direction', 'number', 'wasAnswered'],
  },
  { adapter: salesforce, startSimulator: startSalesforce, variant: 'with client credentials' },
  {
    adapter: salesforce,
    startSimulator: () => startSalesforce({ grant: 'refresh_token' }),
    variant: 'with a refresh token',
  },
  { adapter: odoo, startSimulator: () => startOdoo({ version: 17 }), variant: '17 with crm_phonecall' },
  {
    adapter: odoo,
    startSimulator: () => startOdoo({ version: 14, hasIdField: false }),
    variant: '14 with crm_phonecall and no field of ours',
  },
  {
    adapter: odoo,
    startSimulator: () => startOdoo({ version: 16, hasPhonecall: false }),
    variant: '16 by notes',
    lacks: noteLacks,
  },
  {
    adapter: odoo,
    startSimulator: () => startOdoo({ version: 19, hasPhonecall: false }),
    variant: '19 by notes',
    lacks: noteLacks,
  },
  { adapter: odoo, startSimulator: () => startOdoo({ version: 19 }), variant: '19 with crm_phonecall' },
];

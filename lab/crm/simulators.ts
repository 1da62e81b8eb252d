import { startSimulator as startAmocrm } from '../../src/crm/adapters/amocrm/simulator.test-support.js';
import { startSimulator as startBitrix24 } from '../../src/crm/adapters/bitrix24/simulator.test-support.js';
import { startSimulator as startEspocrm } from '../../src/crm/adapters/espocrm/simulator.test-support.js';
import { startSimulator as startHubspot } from '../../src/crm/adapters/hubspot/simulator.test-support.js';
import { startSimulator as startSuitecrm } from '../../src/crm/adapters/json/suitecrm-simulator.test-support.js';
import { startSimulator as startOdoo } from '../../src/crm/adapters/odoo/simulator.test-support.js';
import { startSimulator as startPipedrive } from '../../src/crm/adapters/pipedrive/simulator.test-support.js';
import { startSimulator as startSalesforce } from '../../src/crm/adapters/salesforce/simulator.test-support.js';
import type { CrmSimulator } from './crm-simulator.js';

/** @param line The company's own number. */
type Start = (line: string) => Promise<CrmSimulator>;

/** The simulator of each adapter, as its vendor's CRM is most often: with the limits of that vendor. */
export const crmSimulators: Readonly<Record<string, Start>> = {
  amocrm: () => startAmocrm(),
  bitrix24: () => startBitrix24(),
  espocrm: () => startEspocrm(),
  hubspot: () => startHubspot(),
  // The one that comes with it.
  json: () => startSuitecrm(),
  odoo: () => startOdoo(),
  pipedrive: (line) => startPipedrive({ ownNumbers: [line] }),
  salesforce: () => startSalesforce(),
};

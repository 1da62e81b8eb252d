import type { CrmAdapter } from '../port/crm-adapter.js';
import { amocrm } from './amocrm/amocrm.adapter.js';
import { bitrix24 } from './bitrix24/bitrix24.adapter.js';
import { espocrm } from './espocrm/espocrm.adapter.js';
import { hubspot } from './hubspot/hubspot.adapter.js';
import { json } from './json/json.adapter.js';
import { odoo } from './odoo/odoo.adapter.js';
import { pipedrive } from './pipedrive/pipedrive.adapter.js';
import { salesforce } from './salesforce/salesforce.adapter.js';

/** Every adapter, listed by hand: a folder that is not here fails the conformance kit. */
export const crmAdapters: readonly CrmAdapter[] = [
  amocrm,
  bitrix24,
  espocrm,
  hubspot,
  json,
  odoo,
  pipedrive,
  salesforce,
];

/** The adapters of this process. */
export class CrmAdapters {
  constructor(readonly list: readonly CrmAdapter[] = crmAdapters) {}

  find(name: string): CrmAdapter | null {
    return this.list.find((adapter) => adapter.name === name) ?? null;
  }

  /** @throws {Error} for a connection whose adapter was taken out of the product. */
  get(name: string): CrmAdapter {
    const adapter = this.find(name);
    if (adapter === null) throw new Error(`There is no CRM adapter ${name} in this version of Ringline.`);
    return adapter;
  }
}

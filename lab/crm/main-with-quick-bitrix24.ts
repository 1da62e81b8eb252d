// The service itself, with one more CRM: see quick-bitrix24.ts.
import { crmAdapters } from '../../src/crm/adapters/crm-adapters.js';
import type { CrmAdapter } from '../../src/crm/port/crm-adapter.js';
import { quickBitrix24 } from './quick-bitrix24.js';

(crmAdapters as CrmAdapter[]).push(quickBitrix24);
await import('../../src/main.js');

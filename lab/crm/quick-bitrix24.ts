import { bitrix24 } from '../../src/crm/adapters/bitrix24/bitrix24.adapter.js';
import type { CrmAdapter } from '../../src/crm/port/crm-adapter.js';
import type { Limit } from '../../src/crm/port/limit.js';

/** Bitrix24's own for Enterprise is as large and leaks 5 a second: ten thousand calls would take more than two hours. */
export const quickBucket = { kind: 'bucket', capacity: 250, perSecond: 50 } as const satisfies Limit;

/** Bitrix24 with a bucket of the same kind that leaks ten times as fast. */
export const quickBitrix24: CrmAdapter = {
  ...(bitrix24 as unknown as CrmAdapter),
  name: 'quick-bitrix24',
  capabilities: (settings) => ({
    ...(bitrix24 as unknown as CrmAdapter).capabilities(settings),
    limits: [quickBucket],
  }),
};

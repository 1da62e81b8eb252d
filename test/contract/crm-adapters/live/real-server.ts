import type { CrmSimulator } from '../../../../lab/crm/crm-simulator.js';

export function noneOfThis(): never {
  throw new Error('a real server has none of this');
}

/** What a simulator has and a real server has not: faults to order, people and contacts to make, counts of requests. */
export const realServer = {
  addContact: noneOfThis,
  tasks: () => [],
  created: () => [],
  pops: () => [],
  fail: noneOfThis,
  expireTokens: noneOfThis,
  requests: [],
  violations: 0,
} satisfies Partial<CrmSimulator>;

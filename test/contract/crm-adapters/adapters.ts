import { espocrm } from '../../../src/crm/adapters/espocrm/espocrm.adapter.js';
import { startSimulator as startEspocrm } from '../../../src/crm/adapters/espocrm/simulator.test-support.js';
import type { KitEntry } from './kit/scene.js';
import { toyAdapter } from './toy/toy-adapter.js';
import { startSimulator as startToy } from './toy/toy-simulator.js';

/** Every adapter with its simulator, and what its vendor has no field for. */
export const kitEntries: readonly KitEntry[] = [
  { adapter: toyAdapter, startSimulator: startToy },
  { adapter: espocrm, startSimulator: startEspocrm, variant: 'with its fields', lacks: ['number'] },
  {
    adapter: espocrm,
    startSimulator: () => startEspocrm({ hasFields: false }),
    variant: 'as it is installed',
    lacks: ['number'],
  },
];

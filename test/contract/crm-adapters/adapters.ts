import type { KitEntry } from './kit/scene.js';
import { toyAdapter } from './toy/toy-adapter.js';
import { startSimulator as startToy } from './toy/toy-simulator.js';

/** Every adapter with its simulator, and what its vendor has no field for. */
export const kitEntries: readonly KitEntry[] = [{ adapter: toyAdapter, startSimulator: startToy }];

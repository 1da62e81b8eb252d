import { Initial1790000000000 } from './1790000000000-initial.js';
import { BlockedNumbers1790100000000 } from './1790100000000-blocked-numbers.js';

/** Every migration, in order, listed by hand. */
export const migrations = [Initial1790000000000, BlockedNumbers1790100000000];

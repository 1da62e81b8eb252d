import { Initial1790000000000 } from './1790000000000-initial.js';

/** Every migration, in order, listed by hand. */
export const migrations = [Initial1790000000000];

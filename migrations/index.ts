import { Initial1790000000000 } from './1790000000000-initial.js';
import { Cel1795600000000 } from './1795600000000-cel.js';

/** Every migration, in order, listed by hand. */
export const migrations = [Initial1790000000000, Cel1795600000000];

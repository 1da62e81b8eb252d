import { Initial1790000000000 } from './1790000000000-initial.js';
import { Recordings1790000300000 } from './1790000300000-recordings.js';

/** Every migration, in order, listed by hand. */
export const migrations = [Initial1790000000000, Recordings1790000300000];

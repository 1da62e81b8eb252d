import { z } from 'zod';

/** An id in a path, a query or a body; in small letters, as it is stored. */
export const idSchema = z.uuid().toLowerCase();

import { z } from 'zod';

/** An instant: RFC 3339, UTC, milliseconds. */
export const instantSchema = z.iso.datetime({ precision: 3 });

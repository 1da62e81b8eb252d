import { Problem } from '../common/problems.js';
import { isDatabaseLost } from '../database/database-errors.js';

/** What a unique index guards, in the words of the API: of a collision only the index's name comes back. */
const uniqueFields: Readonly<Record<string, { readonly field: string; readonly detail: string }>> = {
  pbx_node_name: { field: 'name', detail: 'Another PBX node has this name.' },
  line_did: { field: 'did', detail: 'Another line on this PBX node has this `did`.' },
  blocked_number_pattern: { field: 'pattern', detail: 'This pattern is on the block list already.' },
  device_number: { field: 'devices', detail: 'Another device of this company has this number.' },
  device_endpoint: { field: 'devices', detail: 'Another device on this PBX node has this endpoint.' },
};

const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';

/** The problem that a failure of the database is for an API user; undefined when the error is no such failure. */
export function databaseProblem(error: unknown): Problem | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, constraint } = error as Error & { code?: string; constraint?: string };
  if (code === UNIQUE_VIOLATION) {
    return new Problem('conflict', uniqueFields[constraint ?? ''] ?? { detail: 'The same thing exists already.' });
  }
  if (code === FOREIGN_KEY_VIOLATION) {
    // Features look before they write; this is somebody else's write in between.
    return new Problem('conflict', {
      detail: 'What it refers to was removed meanwhile, or something still refers to it.',
    });
  }
  if (!isDatabaseLost(error)) return undefined;
  return new Problem('database-unavailable', {
    detail: 'The database cannot be reached, or did not answer in time.',
    retryAfterSeconds: 2,
  });
}

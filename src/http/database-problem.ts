import { Problem } from '../common/problems.js';

/** What a unique index guards, in the words of the API. Indexes of every feature, because only their names come back. */
const uniqueFields: Readonly<Record<string, { readonly field: string; readonly detail: string }>> = {
  pbx_node_name: { field: 'name', detail: 'Another PBX node has this name.' },
  line_did: { field: 'did', detail: 'Another line on this PBX node has this `did`.' },
  device_endpoint: { field: 'devices', detail: 'Another device on this PBX node has this endpoint.' },
  api_key_secret_hash: { field: 'secret', detail: 'This key exists already.' },
};

/** SQLSTATE classes and codes that mean: the server or the way to it is gone, or it is overloaded. */
const unavailableState = /^(08...|57P0[1-5]|57014|55P03|53300|25P03|40001|40P01)$/;
const unavailableCode = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'EAI_AGAIN',
]);
/** `pg` and TypeORM give these no code. */
const unavailableText =
  /Connection terminated|connection timeout|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|not queryable|not established with|Driver not Connected/i;

/** The problem a failure of the database is for an API user; undefined when the error is no such failure. */
export function databaseProblem(error: unknown): Problem | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, constraint, table } = error as Error & { code?: string; constraint?: string; table?: string };
  if (code === '23505') {
    return new Problem('conflict', uniqueFields[constraint ?? ''] ?? { detail: 'The same thing exists already.' });
  }
  if (code === '23503') {
    return new Problem('conflict', {
      detail: `It refers to something that was removed, or is still referred to (${table ?? 'another row'}).`,
    });
  }
  if (unavailableState.test(code ?? '') || unavailableCode.has(code ?? '') || unavailableText.test(error.message)) {
    return new Problem('database-unavailable', {
      detail: 'The database did not answer in time, or cannot be reached.',
      retryAfterSeconds: 2,
    });
  }
  if (error instanceof AggregateError)
    return error.errors.map(databaseProblem).find((problem) => problem !== undefined);
  return undefined;
}

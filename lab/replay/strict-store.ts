import { callSchema } from '../../src/calls/domain/call.js';
import type { Commit } from '../../src/calls/ledger/ledger-store.js';
import { MemoryStore } from './memory-store.js';

/** PostgreSQL's longest row of a B-tree index, bytes, less what the ids in it take. */
const LONGEST_KEY = 2_600;
const LAST_TIME = Date.parse('9999-12-31T23:59:59.999Z');
/** NUL and lone surrogates: no text for PostgreSQL, nor for its `jsonb`. */
const unstorable = /\0|\p{Cs}/u;

/** A store in memory that refuses what PostgreSQL would refuse, and records that are not as the contract says. */
export class StrictStore extends MemoryStore {
  readonly refusals: string[] = [];

  override commit(commit: Commit): Promise<void> {
    const refusal = refusalOf(commit);
    if (refusal === null) return super.commit(commit);
    this.refusals.push(refusal);
    return Promise.reject(new Error(refusal));
  }
}

function refusalOf({ facts, calls }: Commit): string | null {
  for (const { boot, fact } of facts) {
    const { leg, kind, key, at } = fact;
    if (!Number.isInteger(at) || at < 0 || at > LAST_TIME) return `the time of "${kind}" is ${at}`;
    if (Buffer.byteLength(boot + leg + kind + key) > LONGEST_KEY) return `the key of "${kind}" is too long`;
    if (holdsNoText(fact)) return `"${kind}" holds what is no text`;
  }
  for (const call of calls) {
    const { error } = callSchema.safeParse(call);
    if (error !== undefined)
      return `the record does not fit the contract: ${error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ')}`;
    if (holdsNoText(call)) return 'the record holds what is no text';
  }
  return null;
}

function holdsNoText(value: unknown): boolean {
  if (typeof value === 'string') return unstorable.test(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsNoText);
}

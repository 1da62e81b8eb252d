import type { CallNumber } from './domain/call.js';

/** Whose contact a caller is: who may be rung before the others of a line. */
export abstract class CallerOwners {
  /** @returns for each caller in order the agent, or null; never later than a phone may wait, and never an error */
  abstract ownersOf(callers: readonly Caller[]): Promise<readonly (string | null)[]>;
}

export type Caller = {
  readonly tenantId: string;
  /** ISO 3166: whose national numbers the tenant writes. */
  readonly region: string;
  readonly number: CallNumber;
};

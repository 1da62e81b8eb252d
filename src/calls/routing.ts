import type { CallLine, CallNumber } from './domain/call.js';
import type { AgentPhone } from './domain/plan.js';

/** What a caller dialled and how he showed himself, as the dial plan passed it. */
export type Wanted = {
  readonly nodeId: string;
  readonly did: string;
  readonly callerNumber: string;
  readonly callerName: string;
};

/** Where a number leads: the line, and the phones of its agents on the same node. */
export type Route = {
  readonly tenantId: string;
  /** The caller, as the tenant's country writes numbers. */
  readonly from: CallNumber;
  /** What on the tenant's block list means the caller, or null. */
  readonly blockedBy: string | null;
  readonly line: CallLine;
  /** None for a caller who is blocked. */
  readonly phones: readonly AgentPhone[];
  readonly ringSeconds: number;
  readonly limitSeconds: number;
  readonly record: boolean;
};

/** Finds the lines that callers dialled. */
export abstract class Routing {
  /** @returns a route for each number in order, null where it is no line of that node. */
  abstract routes(wanted: readonly Wanted[]): Promise<readonly (Route | null)[]>;
}

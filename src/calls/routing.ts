import type { CallLine } from './domain/call.js';
import type { AgentPhone } from './domain/plan.js';

/** Where a number leads: the line, and the phones of its agents on the same node. */
export type Route = {
  readonly tenantId: string;
  /** ISO 3166 country in which the tenant writes numbers. */
  readonly region: string;
  readonly line: CallLine;
  readonly phones: readonly AgentPhone[];
  readonly ringSeconds: number;
  readonly limitSeconds: number;
  readonly record: boolean;
};

/** Finds the lines that callers dialled. */
export abstract class Routing {
  /** @returns a route for each number in order, null where it is no line of that node. */
  abstract routes(
    wanted: readonly { readonly nodeId: string; readonly did: string }[],
  ): Promise<readonly (Route | null)[]>;
}

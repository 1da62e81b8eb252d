import type { CallLine, CallNumber } from './domain/call.js';
import type { AgentPhone, FirstRung, OutsidePhone } from './domain/plan.js';

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
  /** Outside numbers of its agents that may be called through it; absent where there is none. */
  readonly outside?: readonly OutsidePhone[];
  /** Who has the caller as his contact, and rings alone at first; absent where nobody has. */
  readonly first?: FirstRung;
  readonly ringSeconds: number;
  readonly limitSeconds: number;
  readonly record: boolean;
};

/** A leg of a call that is only observed. */
export type Seen = {
  readonly nodeId: string;
  /** Null for a wire inside the switch. */
  readonly endpoint: string | null;
  /** What it dialled, where it came into the dial plan by itself. */
  readonly dialled: string | null;
  /** Whom it was made to dial, outside. */
  readonly called: string | null;
  /** The number that was shown to whom it reached; null where that is not told. */
  readonly shown: string | null;
};

/** A line of one of the tenants. */
export type OwnedLine = CallLine & { readonly tenantId: string };

/** What is known of such a leg. */
export type Known = {
  /** The line it dialled. */
  readonly line: OwnedLine | null;
  /** Whose phone it is. */
  readonly device: { readonly tenantId: string; readonly agentId: string } | null;
  /** Some line goes out there. */
  readonly isTrunk: boolean;
  /** By which line a call goes out there: of each tenant its only one there, or the one whose number was shown. */
  readonly outboundLines: readonly OwnedLine[];
  /** Of each tenant the agent whose outside number it dialled. */
  readonly calledAgents: readonly { readonly tenantId: string; readonly agentId: string }[];
  /** Whose calls are that nothing else tells. */
  readonly defaultTenantId: string | null;
  /** Country of each tenant that is named here. */
  readonly regions: Readonly<Record<string, string>>;
};

/** Finds the lines that callers dialled, and whose observed legs are. */
export abstract class Routing {
  /** @returns a route for each number in order, null where it is no line of that node. */
  abstract routes(wanted: readonly Wanted[]): Promise<readonly (Route | null)[]>;

  /** @returns what is known of each leg in order, null where the node is gone. */
  abstract known(seen: readonly Seen[]): Promise<readonly (Known | null)[]>;
}

import type { Fact } from '../domain/fact.js';

/** Which run of which switch: channel ids may repeat after a restart. */
export type NodeBoot = { readonly nodeId: string; readonly boot: string };

/** A caller who came in: becomes a call if the number dialled is a line. */
export type Arrival = {
  /** What the dial plan passed: the number that was dialled. */
  readonly did: string;
  readonly callerNumber: string;
  readonly callerName: string;
  readonly at: number;
};

/** A leg in a dial plan that Ringline does not drive, as the switch shows it. */
export type Sighting = {
  /** The leg with which its conversation began: the switch counts it to that one. It changes when conversations become one. */
  readonly linkedId: string;
  /** Name of its endpoint; null for a wire inside the switch. */
  readonly endpoint: string | null;
  /** What it dialled, where it came into the dial plan by itself. */
  readonly entered: { readonly dialled: string; readonly context: string } | null;
  readonly callerNumber: string;
  readonly callerName: string;
  /** Whom it was made to dial, outside. */
  readonly called: string | null;
  /** The number that is shown there; null where that is not told. */
  readonly shown: string | null;
  readonly at: number;
};

/** What one source told at one moment: the facts of one frame, one answer, one decision. */
export type Told = NodeBoot & {
  /** The leg the facts are about; a call's own id for what concerns the whole call. */
  readonly leg: string;
  readonly facts: readonly Fact[];
  /** When this process got the frame, ms; null when no frame caused it. */
  readonly receivedAt: number | null;
  readonly arrival?: Arrival;
  readonly sighting?: Sighting;
  /** Set where the teller knows the call: plans and requests. Else the leg leads to it. */
  readonly call?: { readonly id: string; readonly tenantId: string };
  /** Dropped when the call is over by the time it would be written: plans must not reopen a call. */
  readonly onlyWhileOpen?: boolean;
};

export function legKey(node: NodeBoot, leg: string): string {
  return `${node.nodeId}\n${node.boot}\n${leg}`;
}

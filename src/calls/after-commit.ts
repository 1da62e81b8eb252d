import type { Call } from './domain/call.js';
import type { CallEvent } from './domain/call-event.js';

/** What one commit changed about one call. */
export type CommittedChange = {
  readonly tenantId: string;
  readonly callId: string;
  readonly nodeId: string;
  readonly call: Call;
  /** Events of this commit, in sequence, each with the text that was stored. Empty when nothing visible changed. */
  readonly events: readonly { readonly event: CallEvent; readonly text: string }[];
  /** When this process got the first frame of this commit (ms); for latency. Null when no frame caused it. */
  readonly receivedAt: number | null;
  /** When the commit was done, ms. */
  readonly committedAt: number;
};

/**
 * The only in-process hook: called after each commit, in the order given at composition. A subscriber returns at once
 * and keeps nothing that a restart may not lose: what is lost here is found again by a snapshot or a sweep.
 */
export interface AfterCommit {
  readonly name: string;
  onCommit(changes: readonly CommittedChange[]): void;
}

/** Subscribers in the order they are called. Filled by the composition root. */
export abstract class AfterCommitSubscribers {
  abstract readonly list: readonly AfterCommit[];
}

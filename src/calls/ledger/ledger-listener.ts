import type { Route } from '../routing.js';
import type { NodeBoot, Told } from './told.js';

/** Where a caller led: the line as it was at that moment and the call that was begun; null for no line. */
export type Routed = NodeBoot & {
  readonly leg: string;
  readonly did: string;
  readonly callId: string | null;
  readonly route: Route | null;
};

/** Hears all that a ledger is told and finds out, in order, before it is stored: to be written down elsewhere. */
export interface LedgerListener {
  onTold(told: Told): void;
  onRouted(routed: Routed): void;
}

import type { Route } from '../../calls/routing.js';
import type { Told } from '../../calls/ledger/told.js';
import type { AriBridge, AriChannel } from '../ari-frame.js';
import type { StartUpReport } from '../start-up-report.js';

/**
 * What one line of a recorded stream tells, besides when and of which node. Together they are all that a record is made
 * of, so that a stream can be replayed without database and switch:
 * - `opened`: a session begins, with what was found on the node; `closed`: it ended.
 * - `frame`: one message of the switch, exactly as it came.
 * - `snapshot`: what the switch had when the records were compared with it.
 * - `routed`: where a caller led: the line as it was then, and the id that the call got; null for no line.
 * - `told`: what the ledger was told that no frame and no snapshot tells: our own plans, commands and requests.
 * - `missed`: so many lines before this one could not be written.
 */
export type StreamContent =
  | { readonly kind: 'opened'; readonly report: StartUpReport }
  | { readonly kind: 'closed'; readonly reason: string }
  | { readonly kind: 'frame'; readonly text: string }
  | {
      readonly kind: 'snapshot';
      readonly takenAt: number;
      /** When the switch was last known to be as its events said, ms by its clock. */
      readonly aliveAt: number;
      readonly channels: readonly AriChannel[];
      readonly bridges: readonly AriBridge[];
    }
  | {
      readonly kind: 'routed';
      readonly leg: string;
      readonly did: string;
      readonly callId: string | null;
      readonly route: Route | null;
    }
  | { readonly kind: 'told'; readonly told: Omit<Told, 'nodeId' | 'boot' | 'receivedAt'> }
  | { readonly kind: 'missed'; readonly lines: number };

/** One line of a recorded stream. */
export type StreamEntry = {
  /** By our clock, ms since the epoch. */
  readonly at: number;
  readonly node: string;
  /** Start time of the Asterisk process, as it writes it. */
  readonly boot: string;
  readonly app: string;
} & StreamContent;

const kinds: ReadonlySet<unknown> = new Set<StreamContent['kind']>([
  'opened',
  'closed',
  'frame',
  'snapshot',
  'routed',
  'told',
  'missed',
]);

/** Reads one line; null when it is none that this version of Ringline writes. Never throws. */
export function readEntry(line: string): StreamEntry | null {
  try {
    const entry = JSON.parse(line) as Partial<StreamEntry> | null;
    const isEntry =
      typeof entry?.at === 'number' &&
      [entry.node, entry.boot, entry.app].every((part) => typeof part === 'string') &&
      kinds.has(entry.kind);
    return isEntry ? (entry as StreamEntry) : null;
  } catch {
    return null;
  }
}

import type { NodeBoot } from './ledger/told.js';

/** How a command ended. `unknown`: no answer came, it may have been carried out; ask before anything is repeated. */
export type CommandResult =
  | { readonly kind: 'done' }
  /** What it was about is not there (any more). */
  | { readonly kind: 'gone' }
  | { readonly kind: 'refused'; readonly text: string }
  | { readonly kind: 'unknown'; readonly text: string };

/** How a leg is now. */
export type LegPresence = 'gone' | 'idle' | 'ringing' | 'answered' | 'unknown';

/** What a new leg shows to the phone it will ring. */
export type LegDisplay = {
  /** Number the phone shows as the caller. */
  readonly callerNumber: string;
  readonly callerName: string | null;
  readonly autoAnswer: 'none' | 'call-info' | 'alert-info';
};

export type NewLeg = {
  readonly leg: string;
  /** Endpoint, such as `PJSIP/alice` or `PJSIP/+4930123456@trunk`. */
  readonly device: string;
  /** One registered address of the endpoint; null to dial the endpoint as it is. */
  readonly contact: string | null;
  readonly display: LegDisplay;
  /** The switch ends the leg after this many seconds unless told otherwise: nobody rings for ever when we die. */
  readonly leaseSeconds: number;
};

/**
 * The PBX as call control needs it. Every command names legs by ids that we chose or were told, is bounded in time, and
 * may be given again: none dials twice.
 */
export abstract class TelephonySwitch {
  /** The node's present run, or null while it is not connected. */
  abstract bootOf(nodeId: string): string | null;

  /** The switch's clock now, ms since the epoch. */
  abstract nowAt(nodeId: string): number;

  /** Registered addresses of an endpoint, at most five. Null when the node did not answer. */
  abstract contactsOf(node: NodeBoot, endpoint: string): Promise<readonly string[] | null>;

  /** Makes a leg. Rings nobody. */
  abstract createLeg(node: NodeBoot, leg: NewLeg): Promise<CommandResult>;

  /** Rings the leg's phone. The ring ends by itself after `ringSeconds`. */
  abstract dialLeg(node: NodeBoot, leg: string, ringSeconds: number): Promise<CommandResult>;

  /** Lets the caller hear that a phone rings. */
  abstract tellRinging(node: NodeBoot, leg: string): Promise<CommandResult>;

  abstract answerLeg(node: NodeBoot, leg: string): Promise<CommandResult>;

  /** Brings legs into a room, which is made if it is not there. */
  abstract joinLegs(node: NodeBoot, room: string, legs: readonly string[]): Promise<CommandResult>;

  abstract closeRoom(node: NodeBoot, room: string): Promise<CommandResult>;

  /** What the other side is shown when this leg is joined with it. */
  abstract presentAs(node: NodeBoot, leg: string, number: string): Promise<CommandResult>;

  abstract endLeg(node: NodeBoot, leg: string): Promise<CommandResult>;

  /** Gives a caller back to the dial plan, which goes on with its fall-back. */
  abstract handBack(node: NodeBoot, leg: string): Promise<CommandResult>;

  /** The switch takes the leg from us after `seconds` unless this is renewed. 0: never. */
  abstract renewLease(node: NodeBoot, leg: string, seconds: number): Promise<CommandResult>;

  abstract presenceOf(node: NodeBoot, leg: string): Promise<LegPresence>;
}

import type { DialEndpoint } from '../numbers/dial-endpoint.js';
import type { ReleaseReason } from './domain/fact.js';
import type { NodeBoot } from './ledger/told.js';

/** How a command ended. `unknown`: no answer came, it may have been carried out; ask before anything is repeated. */
export type CommandResult =
  | { readonly kind: 'done' }
  /** What it was about is not there (any more). */
  | { readonly kind: 'gone' }
  | { readonly kind: 'refused'; readonly text: string }
  | { readonly kind: 'unknown'; readonly text: string };

/** Where a caller is now. */
export type CallerPresence = 'waiting' | 'elsewhere' | 'gone' | 'unknown';

/** How a leg is now. */
export type LegPresence = 'gone' | 'idle' | 'ringing' | 'answered' | 'unknown';

/** Whether a phone's endpoint can be rung. `absent`: the switch does not know it. */
export type EndpointPresence = 'online' | 'offline' | 'absent' | 'unknown';

/** Who a new leg is, and whom the phone it rings sees. */
export type LegDisplay = {
  /** Number the phone shows as the caller. */
  readonly shownNumber: string;
  readonly shownName: string | null;
  /** Number that whoever is joined with this leg is shown. */
  readonly ownNumber: string;
  readonly autoAnswer: 'none' | 'call-info' | 'alert-info';
};

/** What a phone is told of the transfer it asked for. */
export type TransferProgress = 'ringing' | 'done' | 'failed' | 'refused';

export type NewLeg = {
  readonly leg: string;
  /** A phone, one address of a phone, or a number through a trunk. */
  readonly endpoint: DialEndpoint;
  readonly display: LegDisplay;
  /** What a phone asks for (a transfer) is heeded; what is asked for from outside is not. */
  readonly party: 'phone' | 'outside';
  /** What the switch calls a leg that this one brings over, out of a call of the dial plan. */
  readonly takes?: string;
  /** The switch ends the leg after this many seconds unless told otherwise: nobody rings for ever when we die. */
  readonly leaseSeconds: number;
};

/**
 * The PBX as call control needs it. Every command names legs by ids that we chose or were told, is bounded in time, and
 * may be given again, but for digits: none dials twice.
 */
export abstract class TelephonySwitch {
  /** The node's present run, or null while it is not connected. */
  abstract bootOf(nodeId: string): string | null;

  /** The switch's clock now, ms since the epoch. */
  abstract nowAt(nodeId: string): number;

  /** Whether more is asked of the node than it, or we, can do: what is begun now would come too late. */
  abstract isOverloaded(nodeId: string): boolean;

  abstract endpointPresence(nodeId: string, endpoint: string): Promise<EndpointPresence>;

  /** Registered addresses of an endpoint, at most five, asked by way of a leg that is there. Null: no answer. */
  abstract contactsOf(node: NodeBoot, endpoint: string, viaLeg: string): Promise<readonly string[] | null>;

  /**
   * Who is at the other end of a wire that the switch itself laid from one room to another: what it calls that leg.
   * @param name What it calls the wire. Null: the wire leads elsewhere, or there is no answer.
   */
  abstract partyBeyond(node: NodeBoot, wire: string, name: string): Promise<string | null>;

  /** Makes a leg. Rings nobody. */
  abstract createLeg(node: NodeBoot, leg: NewLeg): Promise<CommandResult>;

  /** Rings the leg's phone. The ring ends by itself after `ringSeconds`. */
  abstract dialLeg(node: NodeBoot, leg: string, ringSeconds: number): Promise<CommandResult>;

  /** Lets the caller hear that a phone rings. */
  abstract tellRinging(node: NodeBoot, leg: string): Promise<CommandResult>;

  /** The leg's party hears, from the beginning, that it takes the call by the key 1. */
  abstract askToConfirm(node: NodeBoot, leg: string): Promise<CommandResult>;

  /** It hears no more of that. */
  abstract stopAsking(node: NodeBoot, leg: string): Promise<CommandResult>;

  abstract answerLeg(node: NodeBoot, leg: string): Promise<CommandResult>;

  /** Brings legs into a room, which is made if it is not there. */
  abstract joinLegs(node: NodeBoot, room: string, legs: readonly string[]): Promise<CommandResult>;

  /** When `leg` ends, the switch ends `partner` (its own name for that leg) by itself. */
  abstract tieLegs(node: NodeBoot, leg: string, partner: string): Promise<CommandResult>;

  /** Of all that `leg` was tied to the switch ends only `partner` with it; nobody, when that is null. */
  abstract retieLegs(node: NodeBoot, leg: string, partner: string | null): Promise<CommandResult>;

  /** The leg's party hears music and is not heard by the others of its room; or takes part again. */
  abstract holdLeg(node: NodeBoot, leg: string, held: boolean): Promise<CommandResult>;

  /** What the leg's party says is not heard; or is heard again. */
  abstract muteLeg(node: NodeBoot, leg: string, muted: boolean): Promise<CommandResult>;

  /** Tells the leg's phone what becomes of the transfer it asked for. */
  abstract tellTransfer(node: NodeBoot, leg: string, progress: TransferProgress): Promise<CommandResult>;

  /** The leg's party is sent DTMF digits. Given twice, it gets them twice. */
  abstract sendDigits(node: NodeBoot, leg: string, digits: string): Promise<CommandResult>;

  /**
   * Records what is said in a room, until the last party has left it or `limitSeconds` have passed.
   * @param recording Its name in the switch. One that is there already is not made again.
   */
  abstract startRecording(
    node: NodeBoot,
    room: string,
    recording: string,
    limitSeconds: number,
  ): Promise<CommandResult>;

  /** Leaves out what is said until the recording is resumed. */
  abstract pauseRecording(node: NodeBoot, recording: string): Promise<CommandResult>;

  abstract resumeRecording(node: NodeBoot, recording: string): Promise<CommandResult>;

  abstract stopRecording(node: NodeBoot, recording: string): Promise<CommandResult>;

  abstract closeRoom(node: NodeBoot, room: string): Promise<CommandResult>;

  /**
   * Ends a leg. A phone that only rang is told when the call was answered elsewhere: it shows no missed call then. A caller who
   * is blocked is told that the call was rejected.
   */
  abstract endLeg(node: NodeBoot, leg: string, why: ReleaseReason): Promise<CommandResult>;

  /** Gives a caller back to the dial plan, which goes on with its fall-back. */
  abstract handBack(node: NodeBoot, leg: string): Promise<CommandResult>;

  /** The switch takes the leg from us after `seconds` unless this is renewed. 0: never. */
  abstract renewLease(node: NodeBoot, leg: string, seconds: number): Promise<CommandResult>;

  /** Whether a caller is still under our control and unanswered. `elsewhere`: the dial plan has the call again. */
  abstract callerPresence(node: NodeBoot, leg: string): Promise<CallerPresence>;

  abstract presenceOf(node: NodeBoot, leg: string): Promise<LegPresence>;
}

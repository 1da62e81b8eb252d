import type { CallLine, CallNumber } from './call.js';

/** A phone that may be rung for an agent. */
export type AgentPhone = {
  readonly agentId: string;
  /** Name of the phone's endpoint in the switch; the phone is dialled `PJSIP/<endpoint>`. */
  readonly endpoint: string;
  readonly autoAnswer: 'none' | 'call-info' | 'alert-info';
};

/** An outside number that is rung for an agent, such as his mobile phone. */
export type OutsidePhone = {
  readonly agentId: string;
  readonly number: CallNumber;
  /** Through which trunk it is dialled, and the number as that trunk wants it. */
  readonly trunk: { readonly endpoint: string; readonly number: string };
  /** Whoever answers there has to press 1, for a mailbox answers too. */
  readonly guarded: boolean;
};

/** Whose phone rings first in a click-to-call. */
export const callOrders = ['agent-first', 'customer-first'] as const;
export type CallOrder = (typeof callOrders)[number];

/** A click-to-call as it was accepted: all that is needed to place it, so that it survives a restart. */
export type ClickToCall = {
  readonly kind: 'click-to-call';
  /** Plans that an earlier version stored do not say: agent first. */
  readonly order?: CallOrder;
  readonly phones: readonly AgentPhone[];
  /** Rung beside the phones. Plans that an earlier version stored do not say: none. */
  readonly outside?: readonly OutsidePhone[];
  readonly to: CallNumber;
  readonly line: CallLine;
  /** Through which trunk the other party is dialled, and the number as that trunk wants it. */
  readonly trunk: { readonly endpoint: string; readonly number: string };
  readonly tags: readonly string[];
  /** How long the agent's phones ring, seconds. */
  readonly agentRingSeconds: number;
  /** How long the other party's phone rings, seconds. */
  readonly remoteRingSeconds: number;
  /** Longest talk time, seconds. */
  readonly limitSeconds: number;
  /** The line's calls are recorded. Plans that an earlier version stored do not say. */
  readonly record?: boolean;
};

/** Who rings alone at first, with all his phones, and for how long, seconds. */
export type FirstRung = { readonly agentId: string; readonly seconds: number };

/** An incoming call to a line: its agents ring, the first to answer gets it. */
export type RingLine = {
  readonly kind: 'ring-line';
  /** The caller's leg. */
  readonly callerLeg: string;
  readonly phones: readonly AgentPhone[];
  /** Rung beside the phones. Plans that an earlier version stored do not say: none. */
  readonly outside?: readonly OutsidePhone[];
  /** Absent: all ring at once. */
  readonly first?: FirstRung;
  /** How long the line rings in all. */
  readonly ringSeconds: number;
  readonly limitSeconds: number;
  /** What on the tenant's block list means the caller: nobody rings, he is refused. */
  readonly blockedBy?: string;
  /** The line's calls are recorded. Plans that an earlier version stored do not say. */
  readonly record?: boolean;
};

/** What Ringline means to do with a call it drives. */
export type Plan = ClickToCall | RingLine;

export const transferModes = ['blind', 'attended'] as const;
export type TransferMode = (typeof transferModes)[number];

/** To whom a call is to go, with all that is needed to ring them, so that it survives a restart. */
export type TransferTarget =
  | { readonly kind: 'agent'; readonly phones: readonly AgentPhone[] }
  | {
      readonly kind: 'number';
      readonly number: CallNumber;
      /** Through which trunk it is dialled, and the number as that trunk wants it. */
      readonly trunk: { readonly endpoint: string; readonly number: string };
    }
  | {
      readonly kind: 'extension';
      /** The extension, as it is dialled. */
      readonly number: CallNumber;
      /** The context of the dial plan in which it is dialled. */
      readonly context: string;
    }
  | Consulted;

/** Somebody with whom who transfers talks already, in a call that the dial plan made for his phone. */
export type Consulted = {
  readonly kind: 'consulted';
  /** What the switch calls the leg that is brought over. */
  readonly name: string;
  /** Who that is: an agent's phone, or null for a number. */
  readonly phone: AgentPhone | null;
  readonly number: CallNumber;
};

/** What somebody asked for with the keys of his phone. */
export type PhoneWish = {
  /** What he dialled. */
  readonly to: string;
  /** With whom he talks already: what the switch calls that leg, or null where nobody is on the line. Absent: a blind one. */
  readonly consulted?: string | null;
};

/** A transfer as it was asked for. */
export type TransferAsk = {
  readonly mode: TransferMode;
  readonly target: TransferTarget;
  /** The phone that asked for it, by its leg and the key of its wish; absent where the API did. */
  readonly by?: { readonly leg: string; readonly wish: string };
  /** How long the target rings, seconds. */
  readonly ringSeconds: number;
};

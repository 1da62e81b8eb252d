import type { Fault, SeenRequest } from './simulator-server.js';

/** A vendor's CRM as its documents describe it, errors and limits included, with what a test wants to know of it. */
export interface CrmSimulator {
  /** Settings of a connection to it, as an admin would enter them. */
  readonly settings: Readonly<Record<string, unknown>>;
  addUser(user: { readonly name: string; readonly email?: string; readonly extension?: string }): string;
  addContact(contact: {
    readonly name: string;
    readonly numbers: readonly string[];
    readonly kind?: 'contact' | 'lead' | 'company';
    readonly ownerId?: string;
  }): { readonly type: string; readonly id: string };
  /** Every call object that it holds. */
  calls(): readonly SimulatedCall[];
  tasks(): readonly {
    readonly id: string;
    readonly ownerId: string | null;
    readonly subject: string;
    readonly isOpen: boolean;
  }[];
  /** Contacts, leads and the like that were made through its API. */
  created(): readonly { readonly kind: string; readonly id: string; readonly numbers: readonly string[] }[];
  /** Pops that it showed. */
  pops(): readonly { readonly userIds: readonly string[]; readonly number: string; readonly at: number }[];
  /** A user of the CRM writes into a call. */
  writeNote?(callId: string, text: string): void;
  /** A user clicks on a number: the request that the CRM sends to our door, signed as it does. */
  click?(click: { readonly userId: string; readonly number: string; readonly doorUrl: string }): Promise<Response>;
  /** What the CRM was told became of a click. */
  clicksTold?(): readonly { readonly number: string; readonly ok: boolean; readonly text: string }[];
  /** Objects are found by a search only so long after they were made, ms: HubSpot's index, for one. */
  lagMs?: number;

  /** Looks again at what it holds of these calls of ours, where that has to be asked for: a real server. */
  refresh?(callIds: readonly string[]): Promise<void>;
  /** What goes wrong with the next requests; see `Fault`. */
  fail(fault: Fault): void;
  /** Every access token that was given is no good any more. Nothing where there are none. */
  expireTokens(): void;
  readonly requests: readonly SeenRequest[];
  /** How often it was asked more than its limits allow. */
  readonly violations: number;
  stop(): Promise<void>;
}

/** A call object in neutral words. What a vendor has no field for is null. */
export type SimulatedCall = {
  readonly id: string;
  /** Ours, wherever it is kept. */
  readonly externalId: string | null;
  readonly direction: 'inbound' | 'outbound' | null;
  readonly number: string | null;
  /** Talk or whole length, as the vendor defines it. */
  readonly seconds: number | null;
  readonly wasAnswered: boolean | null;
  readonly isOpen: boolean;
  readonly startedAt: Date | null;
  readonly ownerId: string | null;
  readonly contactIds: readonly string[];
  readonly text: string;
  readonly recording: { readonly url: string } | { readonly bytes: number } | null;
};

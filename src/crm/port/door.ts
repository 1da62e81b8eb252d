import type { ObjectRef } from './crm-objects.js';

/** A request to a connection's door, at most 64 kB. */
export type DoorRequest = {
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** As it came: what signatures are about. */
  readonly body: Uint8Array;
};

/** What a CRM asks of us. `key`: the vendor's own id of this request; it is heeded once. Null: the body's hash stands for it. */
export type DoorWish = { readonly key: string | null } & (
  | {
      /** Click-to-call. */
      readonly wish: 'dial';
      readonly userId: string;
      readonly number: string;
      readonly entity: ObjectRef | null;
      /** The line by which to call, as the CRM knows it; null: the agent's own. */
      readonly line: string | null;
      /** The object that the CRM has made for this call already. */
      readonly remoteCallId: string | null;
    }
  | {
      /** Somebody wants to be called, by a form on a web page: whoever takes it is rung first. */
      readonly wish: 'call-back';
      readonly number: string;
      readonly text: string | null;
      readonly entity: ObjectRef | null;
      readonly line: string | null;
    }
  | { readonly wish: 'contacts-changed' }
);

export type DoorVerdict =
  | { readonly kind: 'wished'; readonly wish: DoorWish }
  /** Something that we know and do not need. */
  | { readonly kind: 'ignored' }
  /** It is not from this CRM, as far as it can prove. */
  | { readonly kind: 'forged' }
  | { readonly kind: 'malformed'; readonly why: string };

/** What came of a wish to dial. */
export type DialResult =
  | { readonly kind: 'placed'; readonly callId: string }
  | { readonly kind: 'refused'; readonly problem: string; readonly why: string };

import type { CreatedKind, NotePlace } from '../port/crm-adapter.js';
import type { CrmContact, ObjectRef } from '../port/crm-objects.js';

/** Steps that make something in the CRM: begun and not known to be done, they are not simply given again. */
export type MakingStep = 'openCall' | 'closeCall' | 'createObject' | 'createTask' | 'addNote';

export type LinkedContact = Pick<CrmContact, 'type' | 'id' | 'kind' | 'name' | 'ownerId'>;

/** What of a call a CRM is known to have. Stored after each step, before the next. */
export type Links = {
  /** Whose number it is. Null: nobody's. Absent: not asked yet. */
  readonly contact?: LinkedContact | null;
  /** The contact that it had was gone from the CRM: it was asked anew, which is done once. */
  readonly isAskedAnew?: boolean;
  /** Whom an agent takes him for. It outdoes all else. */
  readonly picked?: LinkedContact;
  /** What was made of an unknown caller. */
  readonly created?: ObjectRef & { readonly kind: CreatedKind };
  readonly remoteId?: string;
  readonly begun?: MakingStep;
  readonly isClosed?: boolean;
  /** Fingerprint of the call as it was told last. */
  readonly told?: string;
  /** It was gone from the CRM and made anew, which is done once. */
  readonly isRemade?: boolean;
  /** CRM users to whose screens it was sent; whether one showed it is not known. */
  readonly popped?: readonly string[];
  /** Recordings that are there, by our ids. */
  readonly recordings?: readonly string[];
  /** Our note as it was given last. */
  readonly note?: string;
  readonly notePlace?: NotePlace;
  readonly task?: { readonly id: string; readonly isClosed: boolean };
  readonly isRemoved?: boolean;
};

/** Whose number it is, as far as that is known; null: nobody's, undefined: not asked yet. */
export function contactOf({ picked, contact }: Links): LinkedContact | null | undefined {
  return picked ?? contact;
}

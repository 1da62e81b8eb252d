import type { z } from 'zod';
import type { Auth, CrmClient } from './crm-client.js';
import type { CrmCall, CrmContact, CrmNumber, CrmRecording, CrmTask, CrmUser, ObjectRef } from './crm-objects.js';
import type { DialResult, DoorRequest, DoorVerdict, DoorWish } from './door.js';
import type { Limit } from './limit.js';
import type { Verdict } from './verdict.js';

/** What a CRM can do, as data. What is not declared is never called; what is, is proved by the conformance kit. */
export type CrmCapabilities = {
  /** `openCall` and `updateCall` while it goes on. Else the CRM gets it once, complete, after its end. */
  readonly live: boolean;
  /** `updateCall` after `closeCall`: notes, tags and late corrections reach it. */
  readonly updateAfterClose: boolean;
  /** How a call whose answer was lost is kept from being there twice: the CRM knows our id again, or `findCall` looks for it. */
  readonly idempotency: 'key' | 'find';
  /** `findContacts` */
  readonly search: boolean;
  /** `listContacts` */
  readonly contactSync: boolean;
  /** `listUsers` */
  readonly users: boolean;
  /** `popScreen`; `opens-call` where one for a call without an id opens it, and `openCall` then gives its id. */
  readonly pop: boolean | 'opens-call';
  /** `attachRecording`, from a link, the bytes, or whichever the connection prefers. */
  readonly recording: 'link' | 'upload' | 'both' | 'none';
  /** Where an agent's note goes: into the call's own text, which is read again and kept, by `addNote` as an object beside it, or nowhere. */
  readonly note: 'in-call' | 'beside' | 'none';
  /** What may be made of an unknown caller by `createObject`. */
  readonly creates: readonly CreatedKind[];
  /** `createTask` and `closeTask` */
  readonly tasks: boolean;
  /** `removeCall` */
  readonly remove: boolean;
  readonly cost: boolean;
  /** What `parseInbound` understands. */
  readonly doors: readonly DoorWish['wish'][];
  readonly limits: readonly Limit[];
};

export type CreatedKind = 'lead' | 'contact' | 'unsorted';
export type ContactPage = {
  readonly contacts: readonly CrmContact[];
  readonly cursor: string;
  readonly isLast: boolean;
};

/**
 * The steps. Each changes one thing, may be given twice, and tells what came of it; none waits, repeats or throws for what a CRM
 * answers. Ids of calls are the CRM's own.
 */
export interface CrmSession {
  /** Asks for something small that needs the credentials. Gives whose they are, for people. */
  test(): Promise<Verdict<string>>;
  /** Those who have this number, best first. It changes nothing. */
  findContacts?(number: CrmNumber): Promise<Verdict<readonly CrmContact[]>>;
  /** Contacts that changed since; null: all. */
  listContacts?(cursor: string | null): Promise<Verdict<ContactPage>>;
  listUsers?(): Promise<Verdict<readonly CrmUser[]>>;
  popScreen?(call: CrmCall, userIds: readonly string[], remoteId: string | null): Promise<Verdict>;
  /** By our id. Null: it is not there. */
  findCall?(call: CrmCall): Promise<Verdict<string | null>>;
  openCall?(call: CrmCall): Promise<Verdict<string>>;
  updateCall?(remoteId: string, call: CrmCall): Promise<Verdict>;
  /** @param remoteId null where it was not opened: it is made, complete. */
  closeCall(remoteId: string | null, call: CrmCall): Promise<Verdict<string>>;
  attachRecording?(remoteId: string, call: CrmCall, recording: CrmRecording): Promise<Verdict>;
  addNote?(remoteId: string, call: CrmCall, text: string): Promise<Verdict<NotePlace>>;
  createObject?(kind: CreatedKind, call: CrmCall): Promise<Verdict<ObjectRef>>;
  createTask?(call: CrmCall, task: CrmTask): Promise<Verdict<string>>;
  closeTask?(taskId: string, text: string): Promise<Verdict>;
  /** Of a call that became part of another one, or is to be erased. */
  removeCall?(remoteId: string): Promise<Verdict>;
  /** Tells the CRM what became of a wish to dial, where its answer alone would not. */
  tellDialled?(wish: Extract<DoorWish, { wish: 'dial' }>, result: DialResult): Promise<Verdict>;
}

/** Where a note came to stand. A CRM may have no place for the note on a call of nobody: nothing is wrong then, and the call goes on. */
export type NotePlace = 'kept' | 'no-place';

/** A CRM: one folder. It knows no Nest, no environment, no stored secret. */
export type CrmAdapter<Settings extends z.ZodObject = z.ZodObject> = {
  /** In the API, such as `espocrm`. */
  readonly name: string;
  readonly title: string;
  /** What an admin enters. */
  readonly settings: Settings;
  /** Names of those settings that are sealed at rest and never shown again. */
  readonly secrets: readonly (keyof z.output<Settings> & string)[];
  capabilities(settings: z.output<Settings>): CrmCapabilities;
  /** Where it is: scheme, host and perhaps a path, without a slash at the end. */
  baseUrl(settings: z.output<Settings>): string;
  auth(settings: z.output<Settings>): Auth;
  connect(client: CrmClient, settings: z.output<Settings>): CrmSession;
  parseInbound?(request: DoorRequest, settings: z.output<Settings>): DoorVerdict;
};

export function defineCrmAdapter<Settings extends z.ZodObject>(adapter: CrmAdapter<Settings>): CrmAdapter<Settings> {
  return adapter;
}

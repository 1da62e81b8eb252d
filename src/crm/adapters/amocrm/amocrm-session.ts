import { z } from 'zod';
import type { ContactPage, CreatedKind, CrmSession, NotePlace } from '../../port/crm-adapter.js';
import type { CrmClient } from '../../port/crm-client.js';
import type {
  CrmCall,
  CrmContact,
  CrmNumber,
  CrmRecording,
  CrmTask,
  CrmUser,
  ObjectRef,
} from '../../port/crm-objects.js';
import { done, type Verdict } from '../../port/verdict.js';
import { ask, idSchema, listOf, read, send, shownNumberOf } from './amocrm-api.js';
import {
  findCallNote,
  findStored,
  linkRecording,
  placeOf,
  remoteIdOf,
  storeCall,
  storeCallOn,
  type CallPlace,
} from './amocrm-calls.js';
import { cardTypes, findCards, listContacts, type CardType } from './amocrm-cards.js';
import { createCard, createUnsorted, findUnsorted, leadOfUnsorted } from './amocrm-new-cards.js';
import { addNote, closeTask, createTask } from './amocrm-notes.js';
import { baseUrlOf, type AmocrmSettings } from './amocrm-settings.js';

const accountSchema = z.object({ name: z.string(), subdomain: z.string().optional() });
const userSchema = z.object({
  id: idSchema,
  name: z.string().nullish(),
  email: z.string().nullish(),
  rights: z.object({ is_active: z.boolean().optional() }).nullish(),
});
const PAGE = 250;
/** More than any account has. */
const MOST_PAGES = 40;

export class AmocrmSession implements CrmSession {
  readonly #baseUrl: string;

  constructor(
    private readonly client: CrmClient,
    private readonly settings: AmocrmSettings,
  ) {
    this.#baseUrl = baseUrlOf(settings);
  }

  async test(): Promise<Verdict<string>> {
    const account = await ask(this.client, { method: 'GET', path: '/api/v4/account' }, accountSchema);
    if (account.verdict !== 'done') return account;
    return done(`${account.value?.name ?? ''} (${this.#baseUrl})`);
  }

  findContacts(number: CrmNumber): Promise<Verdict<readonly CrmContact[]>> {
    return findCards(this.client, this.#baseUrl, number);
  }

  listContacts(cursor: string | null): Promise<Verdict<ContactPage>> {
    return listContacts(this.client, this.#baseUrl, cursor);
  }

  async listUsers(): Promise<Verdict<readonly CrmUser[]>> {
    const users: CrmUser[] = [];
    for (let page = 1; page <= MOST_PAGES; page++) {
      const question = { method: 'GET', path: '/api/v4/users', query: { limit: PAGE, page } } as const;
      const answer = await send(this.client, question);
      if (answer.kind === 'answered' && answer.status === 403 && answer.json !== undefined) {
        return { verdict: 'rejected', why: 'Only an administrator’s token may list the users of amoCRM.' };
      }
      const found = read(question, answer, listOf('users', userSchema));
      if (found.verdict !== 'done') return found;
      for (const { id, name, email, rights } of found.value ?? []) {
        const mail = email == null || email === '' ? null : email;
        const isActive = rights?.is_active ?? true;
        users.push({ id, name: name ?? mail ?? id, email: mail, extension: null, isActive });
      }
      if ((found.value ?? []).length < PAGE) break;
    }
    return done(users);
  }

  /** The notice with the card, or with the offer to make one. */
  async popScreen(call: CrmCall, userIds: readonly string[]): Promise<Verdict> {
    const json = { add: [{ type: 'phone_call', phone_number: shownNumberOf(call), users: userIds.map(Number) }] };
    const shown = await ask(this.client, { method: 'POST', path: '/api/v2/events/', json }, z.unknown());
    return shown.verdict === 'done' ? done() : shown;
  }

  async findCall(call: CrmCall): Promise<Verdict<string | null>> {
    const stored = await findStored(this.client, this.#baseUrl, call);
    if (stored.verdict !== 'done') return stored;
    if (stored.value !== null) return done(remoteIdOf(stored.value, call));
    if (call.direction !== 'inbound') return done(null);
    const unsorted = await findUnsorted(this.client, call);
    if (unsorted.verdict !== 'done') return unsorted;
    return done(unsorted.value === null ? null : remoteIdOf({ type: 'unsorted', id: unsorted.value.id }, call));
  }

  async closeCall(remoteId: string | null, call: CrmCall): Promise<Verdict<string>> {
    if (remoteId !== null) return done(remoteId);
    const placed = await this.#store(call);
    return placed.verdict === 'done' ? done(remoteIdOf(placed.value, call)) : placed;
  }

  async #store(call: CrmCall): Promise<Verdict<CallPlace>> {
    const { contact } = call;
    // It was made with the call in it.
    if (contact?.type === 'unsorted') return done({ type: 'unsorted', id: contact.id });
    if (call.direction === 'internal') {
      return {
        verdict: 'rejected',
        why: 'amoCRM keeps calls on cards, so it has no place for one between colleagues.',
      };
    }
    if (call.number.digits !== '') {
      const stored = await storeCall(this.client, call);
      if (stored.verdict !== 'done') return stored;
      if (stored.value !== null) return done(stored.value);
    }
    const type = cardTypes.find((one) => one === contact?.type);
    if (contact !== null && type !== undefined) return storeCallOn(this.client, { type, id: contact.id }, call);
    return this.#storeUnknown(call);
  }

  async #storeUnknown(call: CrmCall): Promise<Verdict<CallPlace>> {
    if (this.settings.unknownNumbers === 'left-out') {
      return { verdict: 'rejected', why: `No card in amoCRM has ${shownNumberOf(call)}, so it keeps no call of it.` };
    }
    if (call.direction === 'inbound') {
      const unsorted = await createUnsorted(this.client, this.settings, call);
      return unsorted.verdict === 'done' ? done({ type: 'unsorted', id: unsorted.value.id }) : unsorted;
    }
    const made = await createCard(this.client, this.#baseUrl, this.settings, 'contact', call);
    return made.verdict === 'done' ? storeCallOn(this.client, { type: 'contacts', id: made.value.id }, call) : made;
  }

  /** A link is stored with the call. One that came later is put into the note that the call is. */
  async attachRecording(remoteId: string, call: CrmCall, { url }: CrmRecording): Promise<Verdict> {
    if (url === null) return { verdict: 'rejected', why: 'amoCRM takes a link to a recording, not the recording.' };
    const card = await this.#cardOf(remoteId);
    if (card.verdict !== 'done') return card;
    const { type, id, unsorted } = card.value;
    const note = await findCallNote(this.client, type, [id], call);
    if (note.verdict !== 'done') return note;
    if (note.value !== null) return linkRecording(this.client, type, note.value, url);
    // The call of an incoming lead that nobody has taken yet has no note.
    if (unsorted !== null) return unsorted.link === url ? done() : addNote(this.client, type, id, call, url);
    return { verdict: 'gone', why: `The call is not on its card any more: ${type}/${id}.` };
  }

  async addNote(remoteId: string, call: CrmCall, text: string): Promise<Verdict<NotePlace>> {
    const card = await this.#cardOf(remoteId);
    if (card.verdict !== 'done') return card;
    const added = await addNote(this.client, card.value.type, card.value.id, call, text);
    return added.verdict === 'done' ? done('kept') : added;
  }

  createObject(kind: CreatedKind, call: CrmCall): Promise<Verdict<ObjectRef>> {
    return kind === 'unsorted'
      ? createUnsorted(this.client, this.settings, call)
      : createCard(this.client, this.#baseUrl, this.settings, kind, call);
  }

  createTask(call: CrmCall, task: CrmTask): Promise<Verdict<string>> {
    return createTask(this.client, call, task);
  }

  closeTask(taskId: string, text: string): Promise<Verdict> {
    return closeTask(this.client, taskId, text);
  }

  async #cardOf(
    remoteId: string,
  ): Promise<Verdict<{ type: CardType; id: string; unsorted: { readonly link: string | null } | null }>> {
    const place = placeOf(remoteId);
    if (place === null) return { verdict: 'gone', why: `${remoteId} is no call in amoCRM.` };
    const { type, id } = place;
    if (type !== 'unsorted') return done({ type, id, unsorted: null });
    const lead = await leadOfUnsorted(this.client, id);
    return lead.verdict === 'done' ? done({ type: 'leads', id: lead.value.leadId, unsorted: lead.value }) : lead;
  }
}

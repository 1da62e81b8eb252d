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
import type { DialResult, DoorWish } from '../../port/door.js';
import { done, type Verdict } from '../../port/verdict.js';
import { ask, judged, tryAsk } from './bitrix24-api.js';
import { findFinished, finish, firstUserOf, isUnknownCall, register, userFields } from './bitrix24-calls.js';
import { createObject, findContacts, listContacts } from './bitrix24-contacts.js';
import { addNote, closeTask, createTask } from './bitrix24-notes.js';
import { portalOf, type Bitrix24Settings } from './bitrix24-settings.js';
import { statusCodeOfRefusal } from './bitrix24-status.js';
import { currentUser, listUsers } from './bitrix24-users.js';

export class Bitrix24Session implements CrmSession {
  constructor(
    private readonly client: CrmClient,
    private readonly settings: Bitrix24Settings,
  ) {}

  async test(): Promise<Verdict<string>> {
    const user = await currentUser(this.client);
    return user.verdict === 'done' ? done(`${user.value} (${portalOf(this.settings)})`) : user;
  }

  findContacts(number: CrmNumber): Promise<Verdict<readonly CrmContact[]>> {
    return findContacts(this.client, portalOf(this.settings), number);
  }

  listContacts(cursor: string | null): Promise<Verdict<ContactPage>> {
    return listContacts(this.client, portalOf(this.settings), cursor);
  }

  listUsers(): Promise<Verdict<readonly CrmUser[]>> {
    return listUsers(this.client);
  }

  /** The card of a call that is not registered yet is shown by registering it; `openCall` then gets the same id. */
  async popScreen(call: CrmCall, userIds: readonly string[], remoteId: string | null): Promise<Verdict> {
    if (remoteId !== null) return this.#setCard('show', remoteId, userIds);
    const first = firstUserOf(call);
    const registered = await register(this.client, this.settings, call, first !== null && userIds.includes(first));
    if (registered.verdict !== 'done') return registered;
    const others = userIds.filter((id) => id !== first);
    return others.length === 0 ? done() : this.#setCard('show', registered.value, others);
  }

  openCall(call: CrmCall): Promise<Verdict<string>> {
    return register(this.client, this.settings, call, call.status !== 'ended' && call.direction !== 'internal');
  }

  /** The card is with those who are in the call: taken from who rang in vain, given to whom it was transferred. */
  async updateCall(remoteId: string, call: CrmCall): Promise<Verdict> {
    if (call.status !== 'talking') return done();
    const answered = usersOf(call, 'answered');
    const inVain = usersOf(call, 'rang').filter((id) => !answered.includes(id));
    if (inVain.length > 0) {
      const hidden = await this.#setCard('hide', remoteId, inVain);
      if (hidden.verdict !== 'done') return hidden;
    }
    const later = answered.filter((id) => id !== firstUserOf(call));
    return later.length === 0 ? done() : this.#setCard('show', remoteId, later);
  }

  /**
   * One that was not opened is looked for first: registered again after half an hour it would be another call.
   * @see register
   */
  async closeCall(remoteId: string | null, call: CrmCall): Promise<Verdict<string>> {
    if (remoteId !== null) return finish(this.client, remoteId, call);
    const kept = await findFinished(this.client, { EXTERNAL_CALL_ID: call.id });
    if (kept.verdict !== 'done') return kept;
    if (kept.value !== null) return done(kept.value.id);
    const registered = await register(this.client, this.settings, call, false);
    return registered.verdict === 'done' ? finish(this.client, registered.value, call) : registered;
  }

  /** A second time it takes the place of the first. */
  async attachRecording(remoteId: string, _call: CrmCall, recording: CrmRecording): Promise<Verdict> {
    const fileName = /\.(wav|mp3)$/i.test(recording.fileName) ? recording.fileName : `${recording.fileName}.wav`;
    const file =
      recording.url !== null
        ? { RECORD_URL: recording.url }
        : { FILE_CONTENT: Buffer.from(await recording.read()).toString('base64') };
    const params = { CALL_ID: remoteId, FILENAME: fileName, ...file };
    const attached = await tryAsk(this.client, 'telephony.externalCall.attachRecord', params, z.unknown());
    if (attached.verdict === 'done') return done();
    // Not finished, or the statistics have it a moment later.
    return isUnknownCall(attached) ? { verdict: 'retry', why: attached.failure.why } : judged(attached);
  }

  addNote(remoteId: string, call: CrmCall, text: string): Promise<Verdict<NotePlace>> {
    return addNote(this.client, remoteId, call, text);
  }

  createObject(kind: CreatedKind, call: CrmCall): Promise<Verdict<ObjectRef>> {
    return createObject(this.client, kind, call);
  }

  createTask(call: CrmCall, task: CrmTask): Promise<Verdict<string>> {
    return createTask(this.client, call, task);
  }

  closeTask(taskId: string, text: string): Promise<Verdict> {
    return closeTask(this.client, taskId, text);
  }

  /** The card that Bitrix24 opened by itself on the click tells why there is no call, and goes. */
  async tellDialled(wish: Extract<DoorWish, { wish: 'dial' }>, result: DialResult): Promise<Verdict> {
    if (result.kind === 'placed' || wish.remoteCallId === null) return done();
    const who = await userFields(this.client, wish.userId);
    if (who.verdict !== 'done') return who;
    const params = {
      CALL_ID: wish.remoteCallId,
      ...who.value,
      DURATION: 0,
      STATUS_CODE: statusCodeOfRefusal(result),
      FAILED_REASON: result.why,
    };
    const finished = await tryAsk(this.client, 'telephony.externalCall.finish', params, z.unknown());
    if (finished.verdict !== 'done' && !isUnknownCall(finished)) return judged(finished);
    const hidden = await this.#setCard('hide', wish.remoteCallId, [wish.userId]);
    return hidden.verdict === 'gone' ? done() : hidden;
  }

  async #setCard(what: 'show' | 'hide', remoteId: string, userIds: readonly string[]): Promise<Verdict> {
    const params = { CALL_ID: remoteId, USER_ID: userIds.map(Number) };
    const answer = await ask(this.client, `telephony.externalCall.${what}`, params, z.boolean());
    if (answer.verdict !== 'done') return answer;
    return answer.value ? done() : { verdict: 'gone', why: `Bitrix24 does not know the call ${remoteId}.` };
  }
}

function usersOf({ people }: CrmCall, part: 'rang' | 'answered'): readonly string[] {
  return [...new Set(people.flatMap((one) => (one.part === part && one.userId !== null ? [one.userId] : [])))];
}

import type { ContactPage, CreatedKind, CrmSession } from '../../port/crm-adapter.js';
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
import { changeCall, findCall, linkRecording, makeCall, removeCall, uploadRecording } from './espocrm-calls.js';
import { createObject, findContacts, listContacts } from './espocrm-contacts.js';
import { siteOf, type EspocrmSettings } from './espocrm-settings.js';
import { closeTask, createTask } from './espocrm-tasks.js';
import { listUsers, readMe } from './espocrm-users.js';

const HOUR = 3600;

export class EspocrmSession implements CrmSession {
  constructor(
    private readonly client: CrmClient,
    private readonly settings: EspocrmSettings,
  ) {}

  async test(): Promise<Verdict<string>> {
    const me = await readMe(this.client);
    if (me.verdict !== 'done') return me;
    const { name, lacks } = me.value;
    return lacks.length === 0
      ? done(`${name} (${siteOf(this.settings)})`)
      : { verdict: 'rejected', why: `The role of the API user ${name} lacks ${lacks.join(', ')}.` };
  }

  findContacts(number: CrmNumber): Promise<Verdict<readonly CrmContact[]>> {
    return findContacts(this.client, siteOf(this.settings), number);
  }

  listContacts(cursor: string | null): Promise<Verdict<ContactPage>> {
    return listContacts(this.client, siteOf(this.settings), cursor);
  }

  listUsers(): Promise<Verdict<readonly CrmUser[]>> {
    return listUsers(this.client, this.settings.extensionField);
  }

  findCall(call: CrmCall): Promise<Verdict<string | null>> {
    return findCall(this.client, this.settings, call);
  }

  /** Looked for first: EspoCRM makes as many as it is asked for. */
  async openCall(call: CrmCall): Promise<Verdict<string>> {
    const found = await this.findCall(call);
    if (found.verdict !== 'done') return found;
    return found.value === null ? this.#make(call) : done(found.value);
  }

  async updateCall(remoteId: string, call: CrmCall): Promise<Verdict> {
    const own = await this.#ownUserId();
    return own.verdict === 'done' ? changeCall(this.client, this.settings, remoteId, call, own.value) : own;
  }

  async closeCall(remoteId: string | null, call: CrmCall): Promise<Verdict<string>> {
    const found = remoteId === null ? await this.findCall(call) : done(remoteId);
    if (found.verdict !== 'done') return found;
    if (found.value === null) return this.#make(call);
    const changed = await this.updateCall(found.value, call);
    return changed.verdict === 'done' ? done(found.value) : changed;
  }

  /** The bytes where no link is wanted. */
  attachRecording(remoteId: string, _call: CrmCall, recording: CrmRecording): Promise<Verdict> {
    if (recording.url !== null) return linkRecording(this.client, this.settings, remoteId, recording.url);
    const { recordingField } = this.settings;
    if (recordingField !== null) return uploadRecording(this.client, recordingField, remoteId, recording);
    return Promise.resolve({
      verdict: 'rejected',
      why: 'There is no link, and no setting recordingField to upload to.',
    });
  }

  createObject(kind: CreatedKind, call: CrmCall): Promise<Verdict<ObjectRef>> {
    return createObject(this.client, siteOf(this.settings), kind, call);
  }

  createTask(call: CrmCall, task: CrmTask): Promise<Verdict<string>> {
    return createTask(this.client, call, task);
  }

  closeTask(taskId: string, text: string): Promise<Verdict> {
    return closeTask(this.client, taskId, text);
  }

  removeCall(remoteId: string): Promise<Verdict> {
    return removeCall(this.client, remoteId);
  }

  async #make(call: CrmCall): Promise<Verdict<string>> {
    const own = await this.#ownUserId();
    return own.verdict === 'done' ? makeCall(this.client, this.settings, call, own.value) : own;
  }

  /** A call has to be somebody’s: nobody’s are the API user’s. */
  #ownUserId(): Promise<Verdict<string>> {
    return this.client.remember('own-user', HOUR, async () => {
      const me = await readMe(this.client);
      return me.verdict === 'done' ? done(me.value.id) : me;
    });
  }
}

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
import { changeCall, linkRecording, makeCall, removeCall } from './hubspot-calls.js';
import { listContacts } from './hubspot-contact-list.js';
import { createContact, findContacts, type RecordUrl } from './hubspot-contacts.js';
import { closeTask, createTask } from './hubspot-tasks.js';
import { listUsers, readAccount, type Account } from './hubspot-users.js';

const DAY = 86_400;

export class HubspotSession implements CrmSession {
  constructor(private readonly client: CrmClient) {}

  async test(): Promise<Verdict<string>> {
    const account = await readAccount(this.client);
    if (account.verdict !== 'done') return account;
    return done(`account ${account.value.portalId} (${account.value.domain})`);
  }

  async findContacts(number: CrmNumber): Promise<Verdict<readonly CrmContact[]>> {
    const url = await this.#recordUrl();
    return url.verdict === 'done' ? findContacts(this.client, url.value, number) : url;
  }

  async listContacts(cursor: string | null): Promise<Verdict<ContactPage>> {
    const url = await this.#recordUrl();
    return url.verdict === 'done' ? listContacts(this.client, url.value, cursor) : url;
  }

  listUsers(): Promise<Verdict<readonly CrmUser[]>> {
    return listUsers(this.client);
  }

  openCall(call: CrmCall): Promise<Verdict<string>> {
    return makeCall(this.client, call);
  }

  updateCall(remoteId: string, call: CrmCall): Promise<Verdict> {
    return changeCall(this.client, remoteId, call);
  }

  async closeCall(remoteId: string | null, call: CrmCall): Promise<Verdict<string>> {
    if (remoteId === null) return makeCall(this.client, call);
    const changed = await changeCall(this.client, remoteId, call);
    return changed.verdict === 'done' ? done(remoteId) : changed;
  }

  attachRecording(remoteId: string, _call: CrmCall, { url }: CrmRecording): Promise<Verdict> {
    return linkRecording(this.client, remoteId, url);
  }

  createObject(kind: CreatedKind, call: CrmCall): Promise<Verdict<ObjectRef>> {
    if (kind === 'contact') return createContact(this.client, call);
    return Promise.resolve({ verdict: 'rejected', why: `Ringline makes contacts in HubSpot, no ${kind}.` });
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

  /** None where the private app may not know the account: people are found all the same. */
  async #recordUrl(): Promise<Verdict<RecordUrl>> {
    const account = await this.client.remember<Account>('account', DAY, () => readAccount(this.client));
    if (account.verdict === 'rejected' || account.verdict === 'gone') return done(null);
    if (account.verdict !== 'done') return account;
    const { domain, portalId } = account.value;
    return done(`https://${domain}/contacts/${encodeURIComponent(portalId)}/record/`);
  }
}

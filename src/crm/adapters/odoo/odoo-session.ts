import { z } from 'zod';
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
import type { CallObjects } from './odoo-call-objects.js';
import { listContacts } from './odoo-contact-list.js';
import { createObject, findContacts } from './odoo-contacts.js';
import { isNoteId, Notes } from './odoo-notes.js';
import { PHONECALL, Phonecalls } from './odoo-phonecalls.js';
import { Odoo } from './odoo-rpc.js';
import { siteOf, type OdooSettings } from './odoo-settings.js';
import { closeTask, createTask } from './odoo-tasks.js';
import { Accounts, listUsers } from './odoo-users.js';

const ATTACHMENT = 'ir.attachment';

export class OdooSession implements CrmSession {
  readonly #odoo: Odoo;
  readonly #accounts: Accounts;
  readonly #notes: Notes;

  constructor(
    private readonly client: CrmClient,
    private readonly settings: OdooSettings,
  ) {
    this.#odoo = new Odoo(client, settings);
    this.#accounts = new Accounts(client, this.#odoo);
    this.#notes = new Notes(client, this.#odoo, this.#accounts);
  }

  /** What is remembered would not tell that the key has been revoked: the account is read anew. */
  async test(): Promise<Verdict<string>> {
    const id = await this.#odoo.ownId();
    if (id.verdict !== 'done') return id;
    const shape = z.object({ name: z.string() });
    const me = await this.#odoo.search('res.users', [['id', '=', id.value]], shape, ['name']);
    if (me.verdict !== 'done') return me;
    return done(`${me.value[0]?.name ?? id.value} (${this.settings.database}, ${siteOf(this.settings)})`);
  }

  findContacts(number: CrmNumber): Promise<Verdict<readonly CrmContact[]>> {
    return findContacts(this.#odoo, this.settings, number);
  }

  listContacts(cursor: string | null): Promise<Verdict<ContactPage>> {
    return listContacts(this.#odoo, this.settings, cursor);
  }

  listUsers(): Promise<Verdict<readonly CrmUser[]>> {
    return listUsers(this.#odoo, this.settings.extensionField);
  }

  async findCall(call: CrmCall): Promise<Verdict<string | null>> {
    const calls = await this.#callsToMake();
    return calls.verdict === 'done' ? calls.value.find(call) : calls;
  }

  /** Looked for first: Odoo makes as many as it is asked for. */
  async openCall(call: CrmCall): Promise<Verdict<string>> {
    const found = await this.findCall(call);
    if (found.verdict !== 'done') return found;
    return found.value === null ? this.#make(call) : done(found.value);
  }

  async updateCall(remoteId: string, call: CrmCall): Promise<Verdict> {
    const calls = await this.#callsOf(remoteId);
    return calls.verdict === 'done' ? calls.value.change(remoteId, call) : calls;
  }

  async closeCall(remoteId: string | null, call: CrmCall): Promise<Verdict<string>> {
    const found = remoteId === null ? await this.findCall(call) : done(remoteId);
    if (found.verdict !== 'done') return found;
    if (found.value === null) return this.#make(call);
    const changed = await this.updateCall(found.value, call);
    return changed.verdict === 'done' ? done(found.value) : changed;
  }

  /** The bytes where no link is wanted. */
  async attachRecording(remoteId: string, _call: CrmCall, recording: CrmRecording): Promise<Verdict> {
    const calls = await this.#callsOf(remoteId);
    if (calls.verdict !== 'done') return calls;
    if (recording.url !== null) return calls.value.link(remoteId, recording.url);
    const owner = await calls.value.owner(remoteId);
    if (owner.verdict !== 'done') return owner;
    const file = await this.#upload(owner.value, recording);
    return file.verdict === 'done' ? calls.value.showFile(remoteId, file.value) : file;
  }

  createObject(kind: CreatedKind, call: CrmCall): Promise<Verdict<ObjectRef>> {
    return createObject(this.#odoo, this.settings, kind, call);
  }

  createTask(call: CrmCall, task: CrmTask): Promise<Verdict<string>> {
    return createTask(this.client, this.#odoo, this.#accounts, call, task);
  }

  closeTask(taskId: string, text: string): Promise<Verdict> {
    return closeTask(this.#odoo, taskId, text);
  }

  async removeCall(remoteId: string): Promise<Verdict> {
    const calls = await this.#callsOf(remoteId);
    return calls.verdict === 'done' ? calls.value.remove(remoteId) : calls;
  }

  async #make(call: CrmCall): Promise<Verdict<string>> {
    const calls = await this.#callsToMake();
    return calls.verdict === 'done' ? calls.value.make(call) : calls;
  }

  async #callsToMake(): Promise<Verdict<CallObjects>> {
    const { calls } = this.settings;
    if (calls === 'chatter') return done(this.#notes);
    const fields = await this.#odoo.fields(PHONECALL);
    if (fields.verdict !== 'done') return fields;
    if (fields.value !== null) return done(new Phonecalls(this.#odoo, fields.value));
    if (calls === 'auto') return done(this.#notes);
    return { verdict: 'rejected', why: 'The add-on crm_phonecall is not there; set calls to auto or chatter.' };
  }

  /** Those that were made before the add-on was there, or after it went, stay what they are. */
  async #callsOf(remoteId: string): Promise<Verdict<CallObjects>> {
    if (isNoteId(remoteId)) return done(this.#notes);
    const fields = await this.#odoo.fields(PHONECALL);
    if (fields.verdict !== 'done') return fields;
    return fields.value === null
      ? { verdict: 'gone', why: `There is no call ${remoteId}: the add-on crm_phonecall is not there.` }
      : done(new Phonecalls(this.#odoo, fields.value));
  }

  /** Ours are told from others by their description: names may be the same. */
  async #upload(
    owner: { readonly model: string; readonly id: number },
    recording: CrmRecording,
  ): Promise<Verdict<number>> {
    const description = `Ringline ${recording.id}`;
    const found = await this.#odoo.search(
      ATTACHMENT,
      [
        ['res_model', '=', owner.model],
        ['res_id', '=', owner.id],
        ['description', '=', description],
      ],
      z.object({ id: z.int() }),
      ['id'],
      { limit: 1 },
    );
    if (found.verdict !== 'done') return found;
    const [known] = found.value;
    if (known !== undefined) return done(known.id);
    return this.#odoo.create(ATTACHMENT, {
      name: recording.fileName,
      mimetype: recording.contentType,
      datas: Buffer.from(await recording.read()).toString('base64'),
      description,
      res_model: owner.model,
      res_id: owner.id,
    });
  }
}

import { z } from 'zod';
import type { CrmClient } from '../../port/crm-client.js';
import type { CrmCall } from '../../port/crm-objects.js';
import { linesOfCall, recordingLine } from '../../port/own-lines.js';
import { done, type Verdict } from '../../port/verdict.js';
import { LEAD, PARTNER, quiet, type CallObjects } from './odoo-call-objects.js';
import { withOwnParagraph, withOwnParagraphs } from './odoo-html.js';
import { numberOf, text, timeOf, titleOf, type Odoo } from './odoo-rpc.js';
import type { Accounts } from './odoo-users.js';

const DAY = 86_400;
const MESSAGE = 'mail.message';

const rowShape = z.object({
  id: z.int(),
  model: text,
  res_id: z.union([z.int(), z.literal(false)]).transform((id) => (id === false ? null : id)),
  body: text,
  attachment_ids: z.array(z.int()),
});
type Row = z.output<typeof rowShape>;
type Place = { readonly model: string; readonly id: number };

/**
 * A call as an internal note in the chatter of its contact. It is known by its Message-Id, which is ours, has an index, and goes
 * with it: only an administrator may move a note to another contact, so it is made there anew, with all that stood in it, and
 * the one before goes. Whatever comes in between is set right by the next change, which finds both.
 */
export class Notes implements CallObjects {
  constructor(
    private readonly client: CrmClient,
    private readonly odoo: Odoo,
    private readonly accounts: Accounts,
  ) {}

  async find(call: CrmCall): Promise<Verdict<string | null>> {
    const remoteId = remoteIdOf(call);
    const found = await this.#read(remoteId);
    return found.verdict === 'done' ? done(found.value.length === 0 ? null : remoteId) : found;
  }

  async make(call: CrmCall): Promise<Verdict<string>> {
    const place = await this.#placeOf(call);
    if (place.verdict !== 'done') return place;
    const made = await this.#make(call, place.value, null);
    return made.verdict === 'done' ? done(remoteIdOf(call)) : made;
  }

  async change(remoteId: string, call: CrmCall): Promise<Verdict> {
    const found = await this.#one(remoteId);
    if (found.verdict !== 'done') return found;
    const place = await this.#placeOf(call);
    if (place.verdict !== 'done') return place;
    const isThere = ({ model, res_id }: Row): boolean => model === place.value.model && res_id === place.value.id;
    // Without a contact it stays where it is.
    const current = found.value.find(isThere) ?? found.value[0];
    const stays = isThere(current) || call.contact === null;
    const kept = stays ? await this.#rewrite(current, call) : await this.#make(call, place.value, current.body);
    if (kept.verdict !== 'done') return kept;
    return this.#absorb(
      kept.value,
      found.value.filter(({ id }) => id !== kept.value),
    );
  }

  async link(remoteId: string, url: string): Promise<Verdict> {
    const found = await this.#one(remoteId);
    if (found.verdict !== 'done') return found;
    const [{ id, body: before }] = found.value;
    const body = withOwnParagraph(before, recordingLine(url));
    return body === before ? done() : this.odoo.write(MESSAGE, [id], { body }, quiet);
  }

  /** The note itself: so its files go with it. */
  async owner(remoteId: string): Promise<Verdict<Place>> {
    const found = await this.#one(remoteId);
    return found.verdict === 'done' ? done({ model: MESSAGE, id: found.value[0].id }) : found;
  }

  async showFile(remoteId: string, attachmentId: number): Promise<Verdict> {
    const found = await this.#one(remoteId);
    if (found.verdict !== 'done') return found;
    const [{ id, attachment_ids }] = found.value;
    if (attachment_ids.includes(attachmentId)) return done();
    return this.odoo.write(MESSAGE, [id], { attachment_ids: [[4, attachmentId, 0]] }, quiet);
  }

  async remove(remoteId: string): Promise<Verdict> {
    const found = await this.#read(remoteId);
    if (found.verdict !== 'done') return found;
    const ids = found.value.map(({ id }) => id);
    return ids.length === 0 ? done() : this.odoo.unlink(MESSAGE, ids);
  }

  #read(remoteId: string): Promise<Verdict<readonly Row[]>> {
    const fields = ['model', 'res_id', 'body', 'attachment_ids'];
    return this.odoo.search(MESSAGE, [['message_id', '=', messageIdOf(remoteId)]], rowShape, fields, {
      order: 'id desc',
    });
  }

  async #one(remoteId: string): Promise<Verdict<readonly [Row, ...Row[]]>> {
    const found = await this.#read(remoteId);
    if (found.verdict !== 'done') return found;
    const [first, ...others] = found.value;
    return first === undefined ? { verdict: 'gone', why: `Odoo has no note ${remoteId}.` } : done([first, ...others]);
  }

  /** Calls of nobody known stand with the contact of the user whom Ringline acts as. */
  async #placeOf({ contact }: CrmCall): Promise<Verdict<Place>> {
    const id = numberOf(contact?.id);
    if (contact !== null && id !== null && (contact.type === PARTNER || contact.type === LEAD)) {
      return done({ model: contact.type, id });
    }
    const own = await this.accounts.own();
    return own.verdict === 'done' ? done({ model: PARTNER, id: own.value.partnerId }) : own;
  }

  async #make(call: CrmCall, { model, id }: Place, before: string | null): Promise<Verdict<number>> {
    const subtype = await this.#noteSubtype();
    if (subtype.verdict !== 'done') return subtype;
    const values = await this.#valuesOf(call, before);
    if (values.verdict !== 'done') return values;
    const note = {
      message_id: messageIdOf(remoteIdOf(call)),
      message_type: 'comment',
      is_internal: true,
      ...(subtype.value !== null && { subtype_id: subtype.value }),
      model,
      res_id: id,
    };
    return this.odoo.create(MESSAGE, { ...values.value, ...note }, quiet);
  }

  async #rewrite({ id, body }: Row, call: CrmCall): Promise<Verdict<number>> {
    const values = await this.#valuesOf(call, body);
    if (values.verdict !== 'done') return values;
    const written = await this.odoo.write(MESSAGE, [id], values.value, quiet);
    return written.verdict === 'done' ? done(id) : written;
  }

  async #valuesOf(call: CrmCall, before: string | null): Promise<Verdict<object>> {
    const userId = numberOf(call.userId);
    const author = userId === null ? done(null) : await this.accounts.find(userId);
    if (author.verdict !== 'done') return author;
    const lines = linesOfCall(call, { id: false, recording: true });
    return done({
      ...call.fields,
      subject: titleOf(call.subject),
      body: withOwnParagraphs(before, call.status === 'ended' ? lines : [...lines, GOES_ON]),
      date: timeOf(call.startedAt),
      ...(author.value !== null && { author_id: author.value.partnerId }),
    });
  }

  /** What else has our Message-Id goes, and its files come over. */
  async #absorb(keptId: number, others: readonly Row[]): Promise<Verdict> {
    const files = others.flatMap(({ attachment_ids }) => attachment_ids);
    if (files.length > 0) {
      const moved = await this.odoo.write('ir.attachment', files, { res_id: keptId });
      if (moved.verdict !== 'done') return moved;
      const commands = files.map((id) => [4, id, 0]);
      const shown = await this.odoo.write(MESSAGE, [keptId], { attachment_ids: commands }, quiet);
      if (shown.verdict !== 'done') return shown;
    }
    return others.length === 0
      ? done()
      : this.odoo.unlink(
          MESSAGE,
          others.map(({ id }) => id),
        );
  }

  /** “Note”: of those that are for employees only it is the last. Null: it was removed. */
  #noteSubtype(): Promise<Verdict<number | null>> {
    return this.client.remember('note subtype', DAY, async () => {
      const found = await this.odoo.search(
        'mail.message.subtype',
        [
          ['internal', '=', true],
          ['res_model', '=', false],
        ],
        z.object({ id: z.int() }),
        ['id'],
        { order: 'sequence desc, id asc', limit: 1 },
      );
      return found.verdict === 'done' ? done(found.value[0]?.id ?? null) : found;
    });
  }
}

/** A note has no status; this line is there until the end. */
export const GOES_ON = 'The call goes on.';

function remoteIdOf({ id }: CrmCall): string {
  return `ringline-${id}`;
}

/** Whether it is an id of a note, not of a `crm.phonecall`. */
export function isNoteId(remoteId: string): boolean {
  return remoteId.startsWith('ringline-');
}

function messageIdOf(remoteId: string): string {
  return `<${remoteId}@ringline>`;
}

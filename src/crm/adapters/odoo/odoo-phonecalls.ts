import { z } from 'zod';
import type { CrmCall } from '../../port/crm-objects.js';
import { linesOfCall, recordingLine, withOwnLine, withOwnLines } from '../../port/own-lines.js';
import { done, type Verdict } from '../../port/verdict.js';
import { LEAD, PARTNER, quiet, type CallObjects } from './odoo-call-objects.js';
import { withOwnParagraph, withOwnParagraphs } from './odoo-html.js';
import { numberOf, text, timeOf, titleOf, type Domain, type Fields, type Odoo } from './odoo-rpc.js';

export const PHONECALL = 'crm.phonecall';
/** Made by the admin, if at all: see the README. */
const ID_FIELD = 'x_ringline_id';
const DAY_MS = 86_400_000;

const rowShape = z.object({ id: z.int(), state: text, description: text });
type Row = z.output<typeof rowShape>;

/** A call as a record of the add-on `crm_phonecall`. */
export class Phonecalls implements CallObjects {
  constructor(
    private readonly odoo: Odoo,
    private readonly fields: Fields,
  ) {}

  /** The start bounds what has to be looked through, with a day for whoever moves it. The first one, should there be several. */
  async find(call: CrmCall): Promise<Verdict<string | null>> {
    const at = call.startedAt.getTime();
    const domain: Domain = this.#hasIdField
      ? [[ID_FIELD, '=', call.id]]
      : [
          ['date', '>=', timeOf(new Date(at - DAY_MS))],
          ['date', '<=', timeOf(new Date(at + DAY_MS))],
          ['description', 'ilike', call.id],
        ];
    const shape = z.object({ id: z.int() });
    const found = await this.odoo.search(PHONECALL, domain, shape, ['id'], { order: 'id asc', limit: 1 });
    if (found.verdict !== 'done') return found;
    const [one] = found.value;
    return done(one === undefined ? null : String(one.id));
  }

  async make(call: CrmCall): Promise<Verdict<string>> {
    const made = await this.odoo.create(PHONECALL, this.#valuesOf(call, null), quiet);
    return made.verdict === 'done' ? done(String(made.value)) : made;
  }

  async change(remoteId: string, call: CrmCall): Promise<Verdict> {
    const current = await this.#read(remoteId);
    if (current.verdict !== 'done') return current;
    return this.odoo.write(PHONECALL, [current.value.id], this.#valuesOf(call, current.value), quiet);
  }

  async link(remoteId: string, url: string): Promise<Verdict> {
    const current = await this.#read(remoteId);
    if (current.verdict !== 'done') return current;
    const { id, description: before } = current.value;
    const add = this.#isHtml ? withOwnParagraph : withOwnLine;
    const description = add(before, recordingLine(url));
    return description === before ? done() : this.odoo.write(PHONECALL, [id], { description }, quiet);
  }

  async owner(remoteId: string): Promise<Verdict<{ readonly model: string; readonly id: number }>> {
    const current = await this.#read(remoteId);
    return current.verdict === 'done' ? done({ model: PHONECALL, id: current.value.id }) : current;
  }

  showFile(): Promise<Verdict> {
    return Promise.resolve(done());
  }

  remove(remoteId: string): Promise<Verdict> {
    const id = numberOf(remoteId);
    return id === null ? Promise.resolve(done()) : this.odoo.unlink(PHONECALL, [id]);
  }

  get #hasIdField(): boolean {
    return ID_FIELD in this.fields;
  }

  get #isHtml(): boolean {
    return this.fields['description']?.type === 'html';
  }

  async #read(remoteId: string): Promise<Verdict<Row>> {
    const id = numberOf(remoteId);
    const found = await this.odoo.search(PHONECALL, [['id', '=', id ?? 0]], rowShape, ['state', 'description']);
    if (found.verdict !== 'done') return found;
    const [one] = found.value;
    return one === undefined ? { verdict: 'gone', why: `Odoo has no call ${remoteId}.` } : done(one);
  }

  /** Title, state and responsible are ours until it is over there; then they are whoever's who works with it. */
  #valuesOf(call: CrmCall, current: Row | null): object {
    const { number, contact } = call;
    const isOpen = current === null || current.state === 'open';
    const userId = numberOf(call.userId);
    const contactId = numberOf(contact?.id);
    const lines = linesOfCall(call, { id: !this.#hasIdField, recording: true });
    const merge = this.#isHtml ? withOwnParagraphs : withOwnLines;
    return {
      ...call.fields,
      ...(isOpen && {
        name: titleOf(call.subject),
        state: stateOf(call),
        ...(userId !== null && { user_id: userId }),
      }),
      date: timeOf(call.startedAt),
      // Minutes with a fraction, and in one go with the state: for want of it the add-on reckons until now.
      duration: call.talkSeconds / 60,
      partner_phone: number.e164 ?? (number.raw === '' ? false : number.raw),
      ...('direction' in this.fields && { direction: call.direction === 'inbound' ? 'in' : 'out' }),
      ...(contact?.type === PARTNER && contactId !== null && { partner_id: contactId }),
      ...(contact?.type === LEAD && contactId !== null && { opportunity_id: contactId }),
      description: merge(current?.description ?? null, lines),
      ...(this.#hasIdField && { [ID_FIELD]: call.id }),
    };
  }
}

function stateOf({ status, outcome }: CrmCall): 'open' | 'done' | 'cancel' {
  if (status !== 'ended') return 'open';
  return outcome === 'answered' ? 'done' : 'cancel';
}

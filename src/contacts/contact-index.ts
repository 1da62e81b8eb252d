import type { DataSource, EntityManager } from 'typeorm';
import type { CrmContact, CrmNumber, ObjectRef } from '../crm/port/crm-objects.js';
import { runPrepared } from '../database/prepared.js';
import { cleanText } from '../numbers/number-text.js';
import { dropNumbers, lookUp, storeContacts, storeNumbers } from './contact-sql.js';
import type { Candidate } from './match.js';
import { formsOfField, type NumberForms, type SoughtNumber } from './number-forms.js';

export type ConnectionRef = { readonly tenantId: string; readonly id: string };

/** Of one contact. */
const MOST_NUMBERS = 20;
const MOST_FIELDS = 20;
/** Of a text that people read. */
const TEXT_CHARS = 300;
const URL_CHARS = 2_000;
/** Ids that are longer are no ids; a contact that has one is left out. */
const ID_CHARS = 200;

type Row = Omit<Candidate, 'number' | 'talkedAt'> & NullableForms & { readonly talkedAt: Date | null };
type NullableForms = { readonly [Name in keyof NumberForms]: NumberForms[Name] | null };

/** What is known of CRMs' contacts, by number. It answers without any CRM. */
export class ContactIndex {
  constructor(private readonly source: DataSource) {}

  /**
   * Those who may have a number; `rankMatches` says who is likelier.
   * @param agentIds whose CRM users are wanted with them
   */
  async find(tenantId: string, sought: SoughtNumber, agentIds: readonly string[]): Promise<readonly Candidate[]> {
    const { e164, national, lastDigits, extension, key } = sought;
    const shortNumber = national === null ? extension : null;
    const rows = await runPrepared<Row>(this.source, lookUp, [
      tenantId,
      e164,
      national,
      lastDigits,
      shortNumber,
      key,
      agentIds,
    ]);
    return rows.map(({ given, e164: own, national: digits, isCertain, lastDigits: last, extension: ext, ...row }) => ({
      ...row,
      number:
        given === null || isCertain === null
          ? null
          : { given, e164: own, national: digits, isCertain, lastDigits: last, extension: ext },
      talkedAt: row.talkedAt?.getTime() ?? null,
    }));
  }

  /** Stores whom a CRM found by a number. Of one without numbers the CRM says that he has this one. */
  learn(connection: ConnectionRef, found: readonly CrmContact[], { e164, raw }: CrmNumber): Promise<void> {
    const contacts = found.map((contact) =>
      contact.numbers.length > 0 ? contact : { ...contact, numbers: [e164 ?? raw] },
    );
    return this.upsertContacts(connection, contacts);
  }

  /** Stores contacts as a CRM gave them; what it gave of them before is replaced. */
  upsertContacts(connection: ConnectionRef, contacts: readonly CrmContact[]): Promise<void> {
    return this.source.transaction((manager) => this.upsertIn(manager, connection, contacts));
  }

  /** The same as a part of a transaction. */
  async upsertIn(
    manager: EntityManager,
    { tenantId, id }: ConnectionRef,
    contacts: readonly CrmContact[],
  ): Promise<void> {
    if (contacts.length === 0) return;
    const [tenant]: { region: string }[] = await manager.query('select region from tenant where id = $1', [tenantId]);
    if (tenant === undefined) return;
    // Of one that a page holds twice, the later.
    const each = new Map(contacts.map((contact) => [JSON.stringify([contact.type, contact.id]), contact]));
    const usable = [...each.values()].filter(({ type, id: own }) => isId(type) && isId(own));
    const rows = JSON.stringify(usable.map(toRow));
    const numbers = JSON.stringify(usable.flatMap((contact) => numbersOf(contact, tenant.region)));
    await manager.query(storeContacts, [tenantId, id, rows]);
    await manager.query(dropNumbers, [tenantId, id, rows, numbers]);
    await manager.query(storeNumbers, [tenantId, id, numbers]);
  }

  /** Those are not there any more: the CRM said so. */
  async remove({ tenantId, id }: ConnectionRef, refs: readonly ObjectRef[]): Promise<void> {
    await this.source.query(
      `delete from contact c using json_to_recordset($3::json) as r (type text, id text)
       where c.tenant_id = $1 and c.connection_id = $2 and c.type = r.type and c.id = r.id`,
      [tenantId, id, JSON.stringify(refs.map(({ type, id: own }) => ({ type, id: own })))],
    );
  }
}

function toRow({ type, id, kind, name, company, ownerId, url }: CrmContact): object {
  return {
    type,
    id,
    kind,
    name: oneLine(name),
    company: company === null ? null : oneLine(company),
    ownerId: ownerId !== null && isId(ownerId) ? ownerId : null,
    // A page shows it as a link.
    url: url !== null && url.length <= URL_CHARS && /^https?:\/\/[^\p{Cc}\s]+$/iu.test(url) ? url : null,
  };
}

/** Cut between code points: half an emoji is no text for PostgreSQL. */
function oneLine(text: string): string {
  return cleanText(text)
    .slice(0, TEXT_CHARS)
    .replace(/[\ud800-\udbff]$/, '');
}

function numbersOf({ type, id, numbers }: CrmContact, region: string): readonly object[] {
  return numbers
    .slice(0, MOST_FIELDS)
    .flatMap((field) => formsOfField(field, region))
    .slice(0, MOST_NUMBERS)
    .map((forms, place) => ({ type, id, place, ...forms }));
}

function isId(text: string): boolean {
  return text.length > 0 && text.length <= ID_CHARS && cleanText(text) === text;
}

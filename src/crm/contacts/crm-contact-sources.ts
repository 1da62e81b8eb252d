import { ContactSources, type ContactSource } from '../../contacts/contact-sources.js';
import type { ConnectionRef } from '../../contacts/contact-index.js';
import type { Log } from '../../common/logger.js';
import type { Database } from '../../database/database.js';
import type { CrmClients } from '../client/crm-clients.js';
import { CrmConnection } from '../connections/crm-connection.entity.js';
import type { CrmCapabilities } from '../port/crm-adapter.js';

/** The CRMs as `contacts` sees them: a call that rings goes first, listing all of them last. */
export class CrmContactSources extends ContactSources {
  /** By connection, until its settings change: secrets are not opened every few seconds. */
  readonly #capabilities = new Map<string, { readonly updatedAt: number; readonly can: CrmCapabilities | null }>();

  constructor(
    private readonly database: Database,
    private readonly clients: CrmClients,
    private readonly log: Log,
  ) {
    super();
  }

  async ofTenant(tenantId: string): Promise<readonly ContactSource[]> {
    const rows = await this.database.source.manager.findBy(CrmConnection, { tenantId, status: 'enabled' });
    return rows.flatMap((row) => this.#sourceOf(row) ?? []);
  }

  async listing(): Promise<readonly ConnectionRef[]> {
    const rows = await this.database.source.manager.findBy(CrmConnection, { status: 'enabled' });
    for (const id of this.#capabilities.keys()) if (!rows.some((row) => row.id === id)) this.#capabilities.delete(id);
    return rows.filter((row) => this.#can(row)?.contactSync === true).map(({ tenantId, id }) => ({ tenantId, id }));
  }

  async one({ tenantId, id }: ConnectionRef): Promise<ContactSource | null> {
    const row = await this.database.source.manager.findOneBy(CrmConnection, { tenantId, id, status: 'enabled' });
    return row === null ? null : this.#sourceOf(row);
  }

  /** A session of the step's own purpose, made when it is asked: vendors' limits count by purpose. */
  #sourceOf(row: CrmConnection): ContactSource | null {
    const can = this.#can(row);
    if (can === null) return null;
    const { tenantId, id } = row;
    return {
      tenantId,
      id,
      findContacts: can.search
        ? async (number) => {
            const session = this.clients.session(row, 'pop');
            return (await session.findContacts?.(number)) ?? undeclared('findContacts');
          }
        : null,
      listContacts: can.contactSync
        ? async (cursor) => {
            const session = this.clients.session(row, 'backfill');
            return (await session.listContacts?.(cursor)) ?? undeclared('listContacts');
          }
        : null,
    };
  }

  /** Null where its settings are not understood any more: somebody has to store them anew. */
  #can(row: CrmConnection): CrmCapabilities | null {
    const updatedAt = row.updatedAt.getTime();
    const known = this.#capabilities.get(row.id);
    if (known?.updatedAt === updatedAt) return known.can;
    const can = this.#read(row);
    this.#capabilities.set(row.id, { updatedAt, can });
    return can;
  }

  #read(row: CrmConnection): CrmCapabilities | null {
    try {
      return this.clients.adapterOf(row).capabilities(this.clients.settingsOf(row));
    } catch (error) {
      this.log.warn({ scope: 'contacts', connectionId: row.id, error }, 'settings of a CRM connection cannot be used');
      return null;
    }
  }
}

function undeclared(step: string): never {
  throw new Error(`the adapter declares ${step} and does not have it`);
}

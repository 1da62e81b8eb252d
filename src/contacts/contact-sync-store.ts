import type { DataSource } from 'typeorm';
import type { ContactPage } from '../crm/port/crm-adapter.js';
import type { ConnectionRef, ContactIndex } from './contact-index.js';

export type ClaimedSync = ConnectionRef & { readonly cursor: string | null; readonly attempts: number };

/** How far each connection's contacts have been read, and who reads them now. Times are by the database's clock. */
export class ContactSyncStore {
  /** @param claimant this process @param claimSeconds how long a claim holds that is not renewed by a page */
  constructor(
    private readonly source: DataSource,
    private readonly index: ContactIndex,
    private readonly claimant: string,
    private readonly claimSeconds: number,
  ) {}

  /** A row for each of these connections; new ones are due at once. */
  async ensure(connections: readonly ConnectionRef[]): Promise<void> {
    await this.source.query(
      `insert into contact_sync (tenant_id, connection_id, next_at)
       select k.tenant_id, k.id, now() from crm_connection k where k.id = any($1::uuid[])
       on conflict (tenant_id, connection_id) do nothing`,
      [connections.map(({ id }) => id)],
    );
  }

  /** Takes what is due among these connections: nobody else reads them while the claim holds. */
  async claim(connections: readonly ConnectionRef[], most: number): Promise<readonly ClaimedSync[]> {
    // TypeORM gives the rows of an update with their count.
    const [rows]: [ClaimedSync[], number] = await this.source.query(
      `update contact_sync s set claimed_by = $2, claim_until = now() + make_interval(secs => $3), is_nudged = false
       from (select tenant_id, connection_id from contact_sync
             where connection_id = any($1::uuid[]) and next_at <= now() and (claim_until is null or claim_until < now())
             order by next_at limit $4 for update skip locked) due
       where s.tenant_id = due.tenant_id and s.connection_id = due.connection_id
       returning s.tenant_id as "tenantId", s.connection_id as id, s.cursor, s.attempts`,
      [connections.map(({ id }) => id), this.claimant, this.claimSeconds, most],
    );
    return rows;
  }

  /**
   * Stores a page and how far it reaches: both or neither, so that a process that dies reads the page again at most.
   * @param nextInSeconds when it was the last page
   * @returns false when the claim is not held any more
   */
  storePage(
    connection: ConnectionRef,
    { contacts, cursor, isLast }: ContactPage,
    nextInSeconds: number,
  ): Promise<boolean> {
    return this.source.transaction(async (manager) => {
      const { tenantId, id } = connection;
      const [, held]: [unknown, number] = await manager.query(
        `update contact_sync set cursor = $4, attempts = 0, failure = null,
           completed_at = case when $5 then now() else completed_at end,
           next_at = case when $5 and not is_nudged then now() + make_interval(secs => $6) else now() end,
           claimed_by = case when $5 then null else claimed_by end,
           claim_until = case when $5 then null else now() + make_interval(secs => $7) end
         where tenant_id = $1 and connection_id = $2 and claimed_by = $3`,
        [tenantId, id, this.claimant, cursor, isLast, nextInSeconds, this.claimSeconds],
      );
      if (held === 0) return false;
      await this.index.upsertIn(manager, connection, contacts);
      return true;
    });
  }

  /** Lets it go: there is more to read, or it failed. @param from null: read all anew; undefined: go on where it stands */
  async release(
    { tenantId, id }: ConnectionRef,
    { inSeconds, failure, from }: { readonly inSeconds: number; readonly failure: string | null; readonly from?: null },
  ): Promise<void> {
    await this.source.query(
      `update contact_sync set next_at = now() + make_interval(secs => $4), claimed_by = null, claim_until = null,
         failure = $5, attempts = case when $5::text is null then 0 else attempts + 1 end,
         cursor = case when $6 then null else cursor end
       where tenant_id = $1 and connection_id = $2 and claimed_by = $3`,
      [tenantId, id, this.claimant, inSeconds, failure, from === null],
    );
  }

  /** The CRM says that something has changed: read at once, or once more when it is being read. */
  async nudge(connectionId: string): Promise<void> {
    await this.source.query(
      `update contact_sync set is_nudged = true, next_at = least(next_at, now()) where connection_id = $1 and failure is null`,
      [connectionId],
    );
  }
}

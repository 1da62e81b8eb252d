import type { EntityManager } from 'typeorm';

/** PostgreSQL channel: a tenant’s connections were made or changed. No payload: whoever hears of it reads them. */
export const CONNECTIONS_CHANGED = 'ringline_crm_connections_changed';

/** Tells whoever brings calls to CRMs, in whatever process, when the transaction is committed. */
export async function tellConnectionsChanged(manager: EntityManager): Promise<void> {
  await manager.query(`select pg_notify($1, '')`, [CONNECTIONS_CHANGED]);
}

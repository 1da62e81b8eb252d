import type { SecretBox } from '../../common/secret-box.js';
import type { Database } from '../../database/database.js';
import { tokenPlace } from '../connections/connection-secrets.js';
import { CrmToken } from '../connections/crm-token.entity.js';
import type { StoredToken, TokenStore } from './tokens.js';

/** The token of a connection as a row: who asks for a fresh one locks it, so that one process asks and the others wait. */
export function tokenRow(
  { source }: Pick<Database, 'source'>,
  box: SecretBox,
  { tenantId, id }: { readonly tenantId: string; readonly id: string },
): TokenStore {
  const where = { tenantId, connectionId: id };
  const place = tokenPlace(tenantId, id);
  const open = (row: CrmToken | null): StoredToken | null =>
    row?.sealed == null ? null : (JSON.parse(box.open(row.sealed, place)) as StoredToken);
  return {
    read: async () => open(await source.manager.findOneBy(CrmToken, where)),
    change: (make) =>
      source.transaction(async (manager) => {
        const lock = { mode: 'pessimistic_write' } as const;
        const token = await make(open(await manager.findOne(CrmToken, { where, lock })));
        await manager.update(CrmToken, where, { sealed: box.seal(JSON.stringify(token), place) });
        return token;
      }),
  };
}

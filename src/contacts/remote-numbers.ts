import type { DataSource } from 'typeorm';
import type { Clock } from '../common/clock.js';
import { runPrepared } from '../database/prepared.js';
import { soughtNumber, type SoughtNumber } from './number-forms.js';

/** How late a tenant that has just connected its first CRM may begin to have matches, ms. */
const WITHOUT_CRM_MS = 5_000;

/** Of a call, whose other party is sought. */
export type Sought = {
  readonly tenantId: string;
  readonly remote: { readonly raw: string; readonly e164: string | null };
};

/** By what the other party of a call is sought among contacts. */
export class RemoteNumbers {
  /** Tenants that have no CRM, until then, ms: for them every call would ask in vain. */
  readonly #withoutCrmUntil = new Map<string, number>();

  constructor(
    private readonly source: DataSource,
    private readonly clock: Clock,
  ) {}

  /** Null where nobody can be found by it, or the tenant has no CRM. */
  async of({ tenantId, remote }: Sought): Promise<SoughtNumber | null> {
    const now = this.clock.now();
    if ((this.#withoutCrmUntil.get(tenantId) ?? 0) > now) return null;
    const [tenant] = await runPrepared<{ region: string }>(this.source, servedTenant, [tenantId]);
    if (tenant === undefined) this.#withoutCrmUntil.set(tenantId, now + WITHOUT_CRM_MS);
    else this.#withoutCrmUntil.delete(tenantId);
    return tenant === undefined ? null : soughtNumber(remote.raw, tenant.region, remote.e164);
  }
}

const servedTenant = {
  name: 'served-tenant',
  text: 'select region from tenant t where id = $1 and exists (select from crm_connection k where k.tenant_id = t.id)',
};

import { Counter } from 'prom-client';
import type { DataSource } from 'typeorm';
import { CallerOwners, type Caller } from '../calls/caller-owners.js';
import type { Log } from '../common/logger.js';
import { within } from '../common/within.js';
import type { ContactIndex } from '../contacts/contact-index.js';
import { surest } from '../contacts/contact-lookup.js';
import { soughtNumber } from '../contacts/number-forms.js';
import type { Metrics } from '../metrics/metrics.js';
import { agentsOfUser, type RuledConnection } from './agents-of-user.js';

/** A caller waits no longer for it, ms: then all of the line ring. */
const BUDGET_MS = 300;

/** `ambiguous`: several agents could be the owner. */
type Result = 'owner' | 'nobody' | 'ambiguous' | 'late' | 'failed';
type Found = { readonly result: Result; readonly agentId: string | null };

/**
 * Whose contact a caller is, by the index of contacts alone: no CRM is asked while somebody waits. Whose CRM user that is, by the
 * connection's rules and the users that it listed last.
 */
export class ContactOwners extends CallerOwners {
  readonly #results: Counter<'result'>;

  constructor(
    private readonly source: DataSource,
    private readonly index: Pick<ContactIndex, 'find'>,
    { registry }: Metrics,
    private readonly log: Log,
    private readonly budgetMs = BUDGET_MS,
  ) {
    super();
    this.#results = new Counter({
      name: 'ringline_owner_routings_total',
      help: 'Callers whose owner was sought, by what came of it.',
      labelNames: ['result'],
      registers: [registry],
    });
  }

  ownersOf(callers: readonly Caller[]): Promise<readonly (string | null)[]> {
    return Promise.all(
      callers.map(async (caller) => {
        const late: Found = { result: 'late', agentId: null };
        const { result, agentId } = await within(this.budgetMs, this.#find(caller), late);
        this.#results.inc({ result });
        return agentId;
      }),
    );
  }

  /** Never rejects. */
  async #find(caller: Caller): Promise<Found> {
    try {
      return await this.#ownerOf(caller);
    } catch (error) {
      this.log.warn(
        { scope: 'owner-routing', tenantId: caller.tenantId, error },
        'the owner of a caller was not found',
      );
      return { result: 'failed', agentId: null };
    }
  }

  async #ownerOf({ tenantId, region, number }: Caller): Promise<Found> {
    const nobody: Found = { result: 'nobody', agentId: null };
    const sought = soughtNumber(number.raw, region, number.e164);
    if (sought === null) return nobody;
    const [connections, candidates] = await Promise.all([
      this.source.query<RuledConnection[]>(connectionsSql, [tenantId]),
      this.index.find(tenantId, sought, []),
    ]);
    const asked = candidates.filter(({ connectionId }) => connections.some(({ id }) => id === connectionId));
    const match = surest(sought, asked, null);
    const connection = connections.find(({ id }) => id === match?.connectionId);
    if (match?.ownerId == null || connection === undefined) return nobody;
    const agents = (await agentsOfUser(this.source, tenantId, connection, match.ownerId)).agentIds;
    const [agentId = null, ...others] = agents;
    return others.length > 0
      ? { result: 'ambiguous', agentId: null }
      : { result: agentId === null ? 'nobody' : 'owner', agentId };
  }
}

const connectionsSql = `
select id, rules->'users' as users from crm_connection
where tenant_id = $1 and status <> 'paused' and (rules->>'ownerRouting')::boolean`;

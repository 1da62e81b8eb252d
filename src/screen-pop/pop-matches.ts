import { Injectable } from '@nestjs/common';
import type { Call } from '../calls/domain/call.js';
import { Log } from '../common/logger.js';
import { ContactLookup, matchesFor } from '../contacts/contact-lookup.js';
import type { ContactMatch } from '../contacts/match.js';
import { soughtNumber, type SoughtNumber } from '../contacts/number-forms.js';
import { Database } from '../database/database.js';
import type { Pop } from './pop.js';

/** Who a caller may be, as one agent sees it. */
export type AgentMatches = { readonly agentId: string; readonly matches: readonly ContactMatch[] };

/** How long a CRM may take that has to be searched, ms: the phone rings meanwhile, and the pop is on the screen. */
const CRM_DEADLINE_MS = 3_000;
/** How long a browser waits at most for its snapshot on account of matches, ms. */
const SNAPSHOT_DEADLINE_MS = 250;
/** Lookups under way; beyond it pops stay without matches, and the database is left to the calls. */
const AT_A_TIME = 50;

/** Who is calling, by the CRM. Never rejects: a pop without matches is a pop. */
@Injectable()
export class PopMatches {
  #running = 0;

  constructor(
    private readonly database: Database,
    private readonly lookup: ContactLookup,
    private readonly log: Log,
  ) {}

  /** For the pops of a call: by the index, else by the CRMs. Of agents who see somebody. */
  async find(call: Call, agentIds: readonly string[]): Promise<readonly AgentMatches[]> {
    if (this.#running >= AT_A_TIME || this.database.state.status !== 'ready') return [];
    this.#running++;
    try {
      const sought = await this.#sought(call);
      if (sought === null) return [];
      const { candidates } = await this.lookup.find(call.tenantId, sought, agentIds, CRM_DEADLINE_MS);
      return agentIds
        .map((agentId) => ({ agentId, matches: matchesFor(sought, candidates, agentId) }))
        .filter(({ matches }) => matches.length > 0);
    } catch (error) {
      this.log.warn({ scope: 'screen-pop', callId: call.id, error }, 'a pop stays without matches');
      return [];
    } finally {
      this.#running--;
    }
  }

  /** Pops as a snapshot shows them: by the index alone, and without matches when that takes too long. */
  async fill(pops: readonly Pop[]): Promise<readonly Pop[]> {
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<readonly Pop[]>((resolve) => (timer = setTimeout(resolve, SNAPSHOT_DEADLINE_MS, pops)));
    const filled = Promise.all(
      pops.map(async (pop) => {
        const sought = await this.#sought(pop.call);
        if (sought === null) return pop;
        const candidates = await this.lookup.findKnown(pop.call.tenantId, sought, [pop.agentId]);
        return { ...pop, matches: matchesFor(sought, candidates, pop.agentId) };
      }),
    ).catch((error: unknown) => {
      this.log.warn({ scope: 'screen-pop', error }, 'pops of a snapshot stay without matches');
      return pops;
    });
    try {
      return await Promise.race([filled, timeUp]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Null where nobody can be found by it, or the tenant has no CRM. */
  async #sought({ tenantId, remote }: Call): Promise<SoughtNumber | null> {
    const [tenant]: { region: string }[] = await this.database.source.query(
      `select region from tenant t where id = $1 and exists (select from crm_connection k where k.tenant_id = t.id)`,
      [tenantId],
    );
    return tenant === undefined ? null : soughtNumber(remote.raw, tenant.region, remote.e164);
  }
}

import { Injectable } from '@nestjs/common';
import type { Call } from '../calls/domain/call.js';
import { Clock } from '../common/clock.js';
import { Database } from '../database/database.js';
import type { Snapshot } from './agent-stream.js';
import { callIdsOf, popIdOf } from './pop-id.js';
import { PopMatches } from './pop-matches.js';
import { agentsOf, validPops } from './pop.js';

/** More open calls than this no panel can show; the newest are kept. */
const MOST_CALLS = 50;

type DocumentRow = { document: Call };

/** An agent's calls as the database has them now. */
@Injectable()
export class OpenCalls {
  constructor(
    private readonly database: Database,
    private readonly matches: PopMatches,
    private readonly clock: Clock,
  ) {}

  async snapshot(tenantId: string, agentId: string): Promise<Snapshot> {
    const rows: DocumentRow[] = await this.database.source.query(
      `select document from call where tenant_id = $1 and ended_at is null and agent_ids @> array[$2]::uuid[]
       order by started_at desc, id desc limit ${MOST_CALLS}`,
      [tenantId, agentId],
    );
    const calls = rows.map(({ document }) => document).reverse();
    const now = this.clock.now();
    const pops = calls.flatMap((call) => validPops(call, now)).filter((pop) => pop.agentId === agentId);
    return { calls, pops: await this.matches.fill(pops) };
  }

  /** Whether there is a call of which this is the agent's pop, also after a restart and after the call. */
  async hasPop(tenantId: string, agentId: string, popId: string): Promise<boolean> {
    const { first, last } = callIdsOf(popId);
    const rows: DocumentRow[] = await this.database.source.query(
      `select document from call where tenant_id = $1 and id between $2 and $3`,
      [tenantId, first, last],
    );
    return rows.some(({ document }) => agentsOf(document).has(agentId) && popIdOf(document.id, agentId) === popId);
  }
}

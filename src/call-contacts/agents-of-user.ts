import type { DataSource } from 'typeorm';
import type { ConnectionRules } from '../crm/connections/connection-rules.js';
import type { CrmUser } from '../crm/port/crm-objects.js';
import { userIdOf, type MatchedAgent } from '../crm/sync/user-match.js';

/** A CRM connection, and how its users are told from each other. */
export type RuledConnection = { readonly id: string; readonly users: ConnectionRules['users'] };
/** Agents who are a user of a CRM: of several it is not known which. */
export type AgentsOfUser = { readonly agentIds: readonly string[]; readonly name: string | null };

/** Who a user of a CRM is here, by the connection's rules and the users that it listed last: no CRM is asked. */
export async function agentsOfUser(
  source: DataSource,
  tenantId: string,
  { id, users }: RuledConnection,
  userId: string,
): Promise<AgentsOfUser> {
  const [agents, listed] = await Promise.all([
    source.query<MatchedAgent[]>(agentsSql, [tenantId, id]),
    source.query<CrmUser[]>(userSql, [tenantId, id, userId]),
  ]);
  const agentIds = agents.filter((agent) => userIdOf(agent, users, listed) === userId).map((agent) => agent.id);
  return { agentIds, name: listed[0]?.name ?? null };
}

const agentsSql = `
select a.id, a.email, a.crm_users->>$2::text as "userId",
  coalesce(array_agg(d.endpoint) filter (where d.endpoint is not null), '{}') as endpoints
from agent a left join device d on d.tenant_id = a.tenant_id and d.agent_id = a.id
where a.tenant_id = $1 group by a.tenant_id, a.id`;

const userSql = `
select id, name, email, extension, is_active as "isActive" from crm_user
where tenant_id = $1 and connection_id = $2 and id = $3`;

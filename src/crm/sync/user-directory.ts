import type { DataSource } from 'typeorm';
import type { Log } from '../../common/logger.js';
import type { CrmCapabilities, CrmSession } from '../port/crm-adapter.js';
import type { CrmUser } from '../port/crm-objects.js';
import { done, type Verdict } from '../port/verdict.js';
import type { KnownAgents } from './call-people.js';
import type { SyncedConnection } from './sync-store.js';
import { userIdOf, type MatchedAgent } from './user-match.js';

/** How old a list may be, ms: of all users, and of users among whom one is missing. */
const LIST_MS = 3_600_000;
const LIST_WITHOUT_ONE_MS = 300_000;
/** A list that could not be had is asked for again after this, ms. */
const AGAIN_MS = 60_000;

const agentsSql = `
select a.id, a.name, a.email, a.crm_users->>$2::text as "userId",
  coalesce(array_agg(d.endpoint order by d.position) filter (where d.endpoint is not null), '{}') as endpoints
from agent a left join device d on d.tenant_id = a.tenant_id and d.agent_id = a.id
where a.tenant_id = $1 and a.id = any($3::uuid[])
group by a.tenant_id, a.id`;

const storedSql = `
select id, name, email, extension, is_active as "isActive" from crm_user where tenant_id = $1 and connection_id = $2`;

/** $3 the users, as JSON. What the CRM lists no more is removed. */
const storeSql = `
with listed as (
  select * from json_to_recordset($3::json) as u (id text, name text, email text, extension text, "isActive" boolean)
), gone as (
  delete from crm_user where tenant_id = $1 and connection_id = $2 and id not in (select id from listed)
), stored as (
  insert into crm_user (tenant_id, connection_id, id, name, email, extension, is_active)
  select distinct on (id) $1::uuid, $2::uuid, id, name, email, extension, "isActive" from listed
  on conflict (tenant_id, connection_id, id) do update
  set name = excluded.name, email = excluded.email, extension = excluded.extension, is_active = excluded.is_active
)
update crm_connection set users_listed_at = now() where tenant_id = $1 and id = $2`;

type Agent = MatchedAgent & { readonly name: string };
type Listing = { readonly users: readonly CrmUser[]; readonly listedAt: number };

/** Which user of a CRM an agent is. Users are listed hourly, and when one is missing. */
export class UserDirectory {
  readonly #listings = new Map<string, Listing>();
  readonly #asking = new Map<string, Promise<Verdict>>();
  readonly #failedAt = new Map<string, number>();

  constructor(
    private readonly source: DataSource,
    private readonly log: Log,
    private readonly now: () => number = Date.now,
  ) {}

  /** Agents with their CRM users. A failure only where users were never listed: no call is told of without its owner. */
  async of(
    connection: SyncedConnection,
    capabilities: CrmCapabilities,
    session: CrmSession,
    agentIds: readonly string[],
  ): Promise<Verdict<KnownAgents>> {
    const { tenantId, id, rules } = connection;
    const agents: Agent[] = agentIds.length === 0 ? [] : await this.source.query(agentsSql, [tenantId, id, agentIds]);
    if (agents.length === 0 || !capabilities.users || rules.users.match === 'none') {
      return done(known(agents, connection, []));
    }
    let listing = await this.#listing(connection);
    const isMissing = agents.some((agent) => userIdOf(agent, rules.users, listing?.users ?? []) === null);
    const age = this.now() - (listing?.listedAt ?? 0);
    if (age > (isMissing ? LIST_WITHOUT_ONE_MS : LIST_MS)) {
      const asked = await this.#ask(connection, session);
      listing = this.#listings.get(id) ?? listing;
      const passes = asked.verdict !== 'done' && asked.verdict !== 'rejected' && asked.verdict !== 'gone';
      if (passes && listing === null && isMissing) return asked;
    }
    return done(known(agents, connection, listing?.users ?? []));
  }

  async #listing({ tenantId, id, usersListedAt }: SyncedConnection): Promise<Listing | null> {
    if (usersListedAt === null) return null;
    const kept = this.#listings.get(id);
    if (kept !== undefined && kept.listedAt >= usersListedAt.getTime()) return kept;
    const users: CrmUser[] = await this.source.query(storedSql, [tenantId, id]);
    const listing = { users, listedAt: usersListedAt.getTime() };
    this.#listings.set(id, listing);
    return listing;
  }

  /** One at a time for each connection. */
  async #ask(connection: SyncedConnection, session: CrmSession): Promise<Verdict> {
    const { id } = connection;
    if (connection.usersListedAt !== null && this.now() - (this.#failedAt.get(id) ?? 0) < AGAIN_MS) return done();
    const asking = this.#asking.get(id) ?? this.#list(connection, session).finally(() => this.#asking.delete(id));
    this.#asking.set(id, asking);
    return asking;
  }

  async #listed(session: CrmSession, connectionId: string): Promise<Verdict<readonly CrmUser[]>> {
    try {
      return (await session.listUsers?.()) ?? done([]);
    } catch (error) {
      this.log.error({ scope: 'crm', connectionId, error }, 'listing the users of a CRM threw');
      return { verdict: 'rejected', why: 'The adapter failed.' };
    }
  }

  async #list({ tenantId, id }: SyncedConnection, session: CrmSession): Promise<Verdict> {
    const verdict = await this.#listed(session, id);
    if (verdict.verdict !== 'done') {
      this.#failedAt.set(id, this.now());
      this.log.warn({ scope: 'crm', connectionId: id, verdict: verdict.verdict }, 'users of a CRM were not listed');
      return verdict;
    }
    await this.source.query(storeSql, [tenantId, id, JSON.stringify(verdict.value)]);
    this.#listings.set(id, { users: verdict.value, listedAt: this.now() });
    return done();
  }
}

function known(agents: readonly Agent[], { rules }: SyncedConnection, users: readonly CrmUser[]): KnownAgents {
  return new Map(agents.map((agent) => [agent.id, { name: agent.name, userId: userIdOf(agent, rules.users, users) }]));
}

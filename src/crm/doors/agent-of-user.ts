import type { DataSource } from 'typeorm';
import type { CrmClients } from '../client/crm-clients.js';
import type { CrmConnection } from '../connections/crm-connection.entity.js';

export type AgentFound = { readonly agentId: string } | { readonly why: string };

/** Who of the tenant's agents a user of its CRM is. */
export abstract class AgentOfUser {
  abstract find(connection: CrmConnection, userId: string): Promise<AgentFound>;
}

const MANY = 'Several agents could be this CRM user; name one in `rules.users.map`.';

/** By the connection's rules: the map, what the agent's own record says, then what both sides know of the person. */
export class RuledAgentOfUser extends AgentOfUser {
  constructor(
    private readonly source: DataSource,
    private readonly clients: Pick<CrmClients, 'usersOf'>,
  ) {
    super();
  }

  async find(connection: CrmConnection, userId: string): Promise<AgentFound> {
    const { tenantId, id, rules } = connection;
    const { map, match } = rules.users;
    const named = Object.keys(map).filter((agentId) => map[agentId] === userId);
    const known: { id: string }[] = await this.source.query(
      `select id from agent where tenant_id = $1 and (id = any($2::uuid[]) or (crm_users ->> $3 = $4 and id <> all($5::uuid[])))
        order by id = any($2::uuid[]) desc, id`,
      [tenantId, named, id, userId, Object.keys(map)],
    );
    if (known[0] !== undefined) return { agentId: known[0].id };
    if (match === 'none') return { why: `The CRM user ${userId} is not in \`rules.users.map\`.` };
    return this.#byPerson(connection, userId, Object.keys(map));
  }

  async #byPerson(connection: CrmConnection, userId: string, mapped: readonly string[]): Promise<AgentFound> {
    const { tenantId, rules } = connection;
    const { match } = rules.users;
    const verdict = await this.clients.usersOf(connection, 'pop');
    if (verdict === null) {
      return { why: `The CRM user ${userId} is not in \`rules.users.map\`, and the CRM does not list its users.` };
    }
    if (verdict.verdict !== 'done') return { why: `The CRM could not be asked who user ${userId} is: ${verdict.why}` };
    const user = verdict.value.find(({ id, isActive }) => id === userId && isActive);
    if (user === undefined) return { why: `The CRM has no active user ${userId}.` };
    const email = match === 'extension' ? null : user.email;
    const extension = match === 'email' ? null : user.extension;
    const found: { id: string; by_email: boolean }[] = await this.source.query(
      `select a.id, lower(a.email) = lower($2) as by_email from agent a
        where a.tenant_id = $1 and a.id <> all($4::uuid[])
          and (lower(a.email) = lower($2)
            or exists (select from device d where d.tenant_id = a.tenant_id and d.agent_id = a.id
                and (d.endpoint = $3 or regexp_replace(d.endpoint, '\\D', '', 'g') = $5)))`,
      [tenantId, email, extension, mapped, extension?.replace(/\D/g, '') || null],
    );
    // An endpoint may have the extension in its name, as where the owner of a call is sought.
    // The e-mail is the person's own; an extension may have gone from one to the other.
    const byEmail = found.filter(({ by_email }) => by_email);
    const [only, ...others] = byEmail.length > 0 ? byEmail : found;
    if (only === undefined) return { why: `No agent has the e-mail or extension of the CRM user ${userId}.` };
    return others.length > 0 ? { why: MANY } : { agentId: only.id };
  }
}

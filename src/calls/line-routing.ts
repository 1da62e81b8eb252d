import type { DataSource } from 'typeorm';
import { runPrepared } from '../database/prepared.js';
import { findBlocking } from '../blocked-numbers/block-list.js';
import type { LineOutbound } from '../lines/line.schema.js';
import type { DialRules } from '../numbers/dial-rules.js';
import { patternsOfCaller } from '../numbers/number-pattern.js';
import { readNumber, type NumberReading } from '../numbers/phone-number.js';
import type { CallerOwners } from './caller-owners.js';
import type { AgentPhone, FirstRung, OutsidePhone } from './domain/plan.js';
import { findKnown } from './known-parties.js';
import { outsidePhones, type OutsideDevice } from './outside-phones.js';
import { Routing, type Known, type Route, type Seen, type Wanted } from './routing.js';

type RouteRow = {
  readonly pbx_node_id: string;
  readonly did: string;
  readonly tenant_id: string;
  readonly region: string;
  readonly line_id: string;
  readonly number: string;
  readonly name: string;
  readonly ring_seconds: number;
  readonly limit_seconds: number;
  readonly record: boolean;
  readonly phones: AgentPhone[];
  readonly outside: OutsideDevice[];
  readonly outbound: LineOutbound | null;
  readonly dial_rules: DialRules;
  /** The tenant has blocked somebody. */
  readonly blocks: boolean;
  /** Some CRM of the tenant has callers ring their owner first. */
  readonly rings_owners: boolean;
};

/** Who has the caller as his contact, with phones that the line does not ring by itself. */
type Owner = {
  readonly agentId: string;
  readonly phones: readonly AgentPhone[];
  readonly outside: readonly OutsideDevice[];
};

/** The owner rings alone for half of the line's time, and no longer than this, seconds. */
const LONGEST_ALONE_SECONDS = 10;

/** Routes read from the rows of lines, agents, devices and block lists as they are now: a change holds for the next caller. */
export class LineRouting extends Routing {
  /** @param owners null in a process that knows no CRM */
  constructor(
    private readonly source: DataSource,
    private readonly owners: CallerOwners | null = null,
  ) {
    super();
  }

  async routes(wanted: readonly Wanted[]): Promise<readonly (Route | null)[]> {
    if (wanted.length === 0) return [];
    const rows = await runPrepared<RouteRow>(this.source, { name: 'line-routes', text: routesSql }, [
      wanted.map(({ nodeId }) => nodeId),
      wanted.map(({ did }) => did),
    ]);
    const byLine = new Map(rows.map((row) => [`${row.pbx_node_id}\n${row.did}`, row]));
    const found = wanted.map(({ nodeId, did, callerNumber, callerName }) => {
      const row = byLine.get(`${nodeId}\n${did}`);
      return row === undefined ? null : { row, caller: readNumber(callerNumber, row.region, callerName) };
    });
    const blocking = await findBlocking(
      this.source,
      // Most tenants block nobody: their callers need no second look.
      found.map((each) => ({
        tenantId: each?.row.tenant_id ?? '',
        patterns: each?.row.blocks === true ? patternsOfCaller(each.caller) : [],
      })),
    );
    const owners = await this.#ownersOf(found.map((each, i) => (blocking[i] == null ? each : null)));
    return Promise.all(
      found.map(async (each, i) => {
        if (each === null) return null;
        const { row, caller } = each;
        const owner = owners[i] ?? null;
        const outside = await this.#outside(row, owner);
        return toRoute(row, caller, blocking[i] ?? null, outside, owner);
      }),
    );
  }

  async #outside(row: RouteRow, owner: Owner | null): Promise<readonly OutsidePhone[]> {
    const { tenant_id: id, region, dial_rules: dialRules, outside, outbound } = row;
    return outsidePhones(this.source, { id, region, dialRules }, [...outside, ...(owner?.outside ?? [])], outbound);
  }

  async #ownersOf(
    found: readonly ({ readonly row: RouteRow; readonly caller: NumberReading } | null)[],
  ): Promise<readonly (Owner | null)[]> {
    const { owners } = this;
    const asked = found.map((each) => (each?.row.rings_owners === true ? each : null));
    const callers = asked.flatMap((each) =>
      each === null ? [] : [{ tenantId: each.row.tenant_id, region: each.row.region, number: each.caller.number }],
    );
    if (owners === null || callers.length === 0) return found.map(() => null);
    const agentIds = [...(await owners.ownersOf(callers))];
    return Promise.all(
      asked.map(async (each) => {
        const agentId = each === null ? null : (agentIds.shift() ?? null);
        return each === null || agentId === null ? null : this.#owner(each.row, agentId);
      }),
    );
  }

  /** Null where nothing of his can ring. */
  async #owner({ tenant_id, pbx_node_id, phones, outside }: RouteRow, agentId: string): Promise<Owner | null> {
    if ([...phones, ...outside].some((own) => own.agentId === agentId)) return { agentId, phones: [], outside: [] };
    const [own] = await runPrepared<Omit<Owner, 'agentId'>>(this.source, { name: 'owner-devices', text: ownerSql }, [
      tenant_id,
      agentId,
      pbx_node_id,
    ]);
    return own === undefined || own.phones.length + own.outside.length === 0 ? null : { agentId, ...own };
  }

  known(seen: readonly Seen[]): Promise<readonly (Known | null)[]> {
    return findKnown(this.source, seen);
  }
}

const routesSql = `
select l.pbx_node_id, l.did, l.tenant_id, t.region, l.id as line_id, l.number, l.name,
       (l.target->>'ringSeconds')::int as ring_seconds, (t.limits->>'callSeconds')::int as limit_seconds,
       l.recording_mode = 'on' as record,
       coalesce((select jsonb_agg(jsonb_build_object('agentId', d.agent_id, 'endpoint', d.endpoint, 'autoAnswer', 'none')
                                  order by chosen.place, d.position)
                   from jsonb_array_elements_text(l.target->'agentIds') with ordinality as chosen (agent_id, place)
                   join device d on d.tenant_id = l.tenant_id and d.agent_id = chosen.agent_id::uuid
                                and d.pbx_node_id = l.pbx_node_id), '[]') as phones,
       coalesce((select jsonb_agg(jsonb_build_object('agentId', d.agent_id, 'number', d.number, 'confirm', d.confirm)
                                  order by chosen.place, d.position)
                   from jsonb_array_elements_text(l.target->'agentIds') with ordinality as chosen (agent_id, place)
                   join device d on d.tenant_id = l.tenant_id and d.agent_id = chosen.agent_id::uuid
                                and d.kind = 'number'), '[]') as outside,
       l.outbound, t.dial_rules,
       exists (select from blocked_number b where b.tenant_id = l.tenant_id) as blocks,
       exists (select from crm_connection k where k.tenant_id = l.tenant_id and k.status <> 'paused'
                  and (k.rules->>'ownerRouting')::boolean) as rings_owners
  from line l join tenant t on t.id = l.tenant_id
 where (l.pbx_node_id, l.did) in (select * from unnest($1::uuid[], $2::text[]))`;

/** All that rings for an agent on a node. */
const ownerSql = `
select coalesce(jsonb_agg(jsonb_build_object('agentId', agent_id, 'endpoint', endpoint, 'autoAnswer', 'none') order by position)
                filter (where pbx_node_id = $3), '[]') as phones,
       coalesce(jsonb_agg(jsonb_build_object('agentId', agent_id, 'number', number, 'confirm', confirm) order by position)
                filter (where kind = 'number'), '[]') as outside
  from device where tenant_id = $1 and agent_id = $2`;

function toRoute(
  row: RouteRow,
  caller: NumberReading,
  blockedBy: string | null,
  outside: readonly OutsidePhone[],
  owner: Owner | null,
): Route {
  const phones = [...row.phones, ...(owner?.phones ?? [])];
  return {
    tenantId: row.tenant_id,
    from: caller.number,
    blockedBy,
    line: { id: row.line_id, number: row.number, name: row.name },
    phones: blockedBy === null ? phones : [],
    ...(blockedBy === null && outside.length > 0 && { outside }),
    ...(owner !== null && { first: alone(owner.agentId, row.ring_seconds) }),
    ringSeconds: row.ring_seconds,
    limitSeconds: row.limit_seconds,
    record: row.record,
  };
}

function alone(agentId: string, ringSeconds: number): FirstRung {
  return { agentId, seconds: Math.min(Math.ceil(ringSeconds / 2), LONGEST_ALONE_SECONDS) };
}

import type { DataSource } from 'typeorm';
import { runPrepared } from '../database/prepared.js';
import { findBlocking } from '../blocked-numbers/block-list.js';
import type { LineOutbound } from '../lines/line.schema.js';
import type { DialRules } from '../numbers/dial-rules.js';
import { patternsOfCaller } from '../numbers/number-pattern.js';
import { readNumber, type NumberReading } from '../numbers/phone-number.js';
import type { AgentPhone, OutsidePhone } from './domain/plan.js';
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
};

/** Routes read from the rows of lines, agents, devices and block lists as they are now: a change holds for the next caller. */
export class LineRouting extends Routing {
  constructor(private readonly source: DataSource) {
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
    const outside = await Promise.all(found.map((each) => this.#outside(each?.row ?? null)));
    return found.map((each, i) =>
      each === null ? null : toRoute(each.row, each.caller, blocking[i] ?? null, outside[i] ?? []),
    );
  }

  async #outside(row: RouteRow | null): Promise<readonly OutsidePhone[]> {
    if (row === null) return [];
    const { tenant_id: id, region, dial_rules: dialRules, outside, outbound } = row;
    return outsidePhones(this.source, { id, region, dialRules }, outside, outbound);
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
       exists (select from blocked_number b where b.tenant_id = l.tenant_id) as blocks
  from line l join tenant t on t.id = l.tenant_id
 where (l.pbx_node_id, l.did) in (select * from unnest($1::uuid[], $2::text[]))`;

function toRoute(
  row: RouteRow,
  caller: NumberReading,
  blockedBy: string | null,
  outside: readonly OutsidePhone[],
): Route {
  return {
    tenantId: row.tenant_id,
    from: caller.number,
    blockedBy,
    line: { id: row.line_id, number: row.number, name: row.name },
    phones: blockedBy === null ? row.phones : [],
    ...(blockedBy === null && outside.length > 0 && { outside }),
    ringSeconds: row.ring_seconds,
    limitSeconds: row.limit_seconds,
    record: row.record,
  };
}

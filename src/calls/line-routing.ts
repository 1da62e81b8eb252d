import type { DataSource } from 'typeorm';
import type { AgentPhone } from './domain/plan.js';
import { Routing, type Route } from './routing.js';

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
};

/** Routes read from the rows of lines, agents and devices as they are now: a change holds for the next caller. */
export class LineRouting extends Routing {
  constructor(private readonly source: DataSource) {
    super();
  }

  async routes(
    wanted: readonly { readonly nodeId: string; readonly did: string }[],
  ): Promise<readonly (Route | null)[]> {
    if (wanted.length === 0) return [];
    const rows: RouteRow[] = await this.source.query(
      `select l.pbx_node_id, l.did, l.tenant_id, t.region, l.id as line_id, l.number, l.name,
              (l.target->>'ringSeconds')::int as ring_seconds, (t.limits->>'callSeconds')::int as limit_seconds,
              l.recording_mode = 'on' as record,
              coalesce((select jsonb_agg(jsonb_build_object('agentId', d.agent_id, 'endpoint', d.endpoint, 'autoAnswer', 'none')
                                         order by chosen.place, d.position)
                          from jsonb_array_elements_text(l.target->'agentIds') with ordinality as chosen (agent_id, place)
                          join device d on d.tenant_id = l.tenant_id and d.agent_id = chosen.agent_id::uuid
                                       and d.pbx_node_id = l.pbx_node_id), '[]') as phones
         from line l join tenant t on t.id = l.tenant_id
        where (l.pbx_node_id, l.did) in (select * from unnest($1::uuid[], $2::text[]))`,
      [wanted.map(({ nodeId }) => nodeId), wanted.map(({ did }) => did)],
    );
    const byLine = new Map(rows.map((row) => [`${row.pbx_node_id}\n${row.did}`, toRoute(row)]));
    return wanted.map(({ nodeId, did }) => byLine.get(`${nodeId}\n${did}`) ?? null);
  }
}

function toRoute(row: RouteRow): Route {
  return {
    tenantId: row.tenant_id,
    region: row.region,
    line: { id: row.line_id, number: row.number, name: row.name },
    phones: row.phones,
    ringSeconds: row.ring_seconds,
    limitSeconds: row.limit_seconds,
    record: row.record,
  };
}

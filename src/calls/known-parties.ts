import type { DataSource } from 'typeorm';
import { runPrepared } from '../database/prepared.js';
import type { Known, Seen } from './routing.js';

type KnownRow = Known & { readonly place: number };

/** What the rows of lines, agents and nodes say of observed legs. One answer for each, in order; null where the node is gone. */
export async function findKnown(source: DataSource, seen: readonly Seen[]): Promise<readonly (Known | null)[]> {
  if (seen.length === 0) return [];
  const rows = await runPrepared<KnownRow>(source, { name: 'known-parties', text: knownSql }, [
    seen.map((_, place) => place),
    seen.map(({ nodeId }) => nodeId),
    seen.map(({ endpoint }) => endpoint),
    seen.map(({ dialled }) => dialled),
  ]);
  const byPlace = new Map(rows.map(({ place, ...known }) => [place, known]));
  return seen.map((_, place) => byPlace.get(place) ?? null);
}

/** A dial plan may see a number with its `+` where the line is known without. */
const knownSql = `
with seen as (
  select * from unnest($1::int[], $2::uuid[], $3::text[], $4::text[]) as s (place, pbx_node_id, endpoint, dialled)
)
select s.place, n.default_tenant_id as "defaultTenantId",
       case when l.id is not null
         then jsonb_build_object('tenantId', l.tenant_id, 'id', l.id, 'number', l.number, 'name', l.name) end as line,
       case when d.agent_id is not null
         then jsonb_build_object('tenantId', d.tenant_id, 'agentId', d.agent_id) end as device,
       exists (select from line t where t.pbx_node_id = s.pbx_node_id and t.outbound->>'endpoint' = s.endpoint) as "isTrunk",
       coalesce((select jsonb_object_agg(t.id, t.region) from tenant t
                  where t.id in (l.tenant_id, d.tenant_id, n.default_tenant_id)), '{}') as regions
  from seen s
  join pbx_node n on n.id = s.pbx_node_id
  left join lateral (
    select tenant_id, id, number, name from line l
     where l.pbx_node_id = s.pbx_node_id and l.did in (s.dialled, ltrim(s.dialled, '+'))
     order by l.did = s.dialled desc limit 1
  ) l on true
  left join device d on d.pbx_node_id = s.pbx_node_id and d.endpoint = s.endpoint`;

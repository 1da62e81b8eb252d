import type { DataSource } from 'typeorm';
import { runPrepared } from '../database/prepared.js';
import { readNumber } from '../numbers/phone-number.js';
import type { Known, OwnedLine, Seen } from './routing.js';

/** Lines that go out by the leg's endpoint, and whether it is the tenant's only one. */
type OutboundLine = OwnedLine & { readonly isOnly: boolean };
/** An agent who has an outside number like the one that was dialled. */
type NumberOwner = Known['calledAgents'][number] & { readonly number: string };
type OwnedNumber = { readonly tenantId: string; readonly number: string };
type KnownRow = Omit<Known, 'outboundLines' | 'calledAgents'> & {
  readonly place: number;
  readonly outboundLines: readonly OutboundLine[];
  readonly calledAgents: readonly NumberOwner[];
};

/** What the rows of lines, agents and nodes say of observed legs. One answer for each, in order; null where the node is gone. */
export async function findKnown(source: DataSource, seen: readonly Seen[]): Promise<readonly (Known | null)[]> {
  if (seen.length === 0) return [];
  const rows = await runPrepared<KnownRow>(source, { name: 'known-parties', text: knownSql }, [
    seen.map((_, place) => place),
    seen.map(({ nodeId }) => nodeId),
    seen.map(({ endpoint }) => endpoint),
    seen.map(({ dialled }) => dialled),
    seen.map(({ shown }) => shown),
    seen.map(({ called }) => called),
  ]);
  const byPlace = new Map(rows.map(({ place, ...known }) => [place, known]));
  return seen.map(({ shown, called }, place) => {
    const known = byPlace.get(place);
    if (known === undefined) return null;
    const isSame = (told: string | null, { tenantId, number }: OwnedNumber): boolean =>
      readNumber(told, known.regions[tenantId] ?? '').number.e164 === number;
    const outboundLines = known.outboundLines.flatMap(({ isOnly, ...line }) =>
      isOnly || isSame(shown, line) ? [line] : [],
    );
    const calledAgents = known.calledAgents.flatMap(({ number, tenantId, agentId }) =>
      isSame(called, { tenantId, number }) ? [{ tenantId, agentId }] : [],
    );
    return { ...known, outboundLines, calledAgents };
  });
}

/**
 * A dial plan may see a number with its `+` where the line is known without, and a carrier may be shown it as the country writes
 * it: hundreds of lines may go out by one trunk, so of those only the ones that end alike are read, and of the agents' own numbers
 * too, which are those of tenants who have phones there.
 */
const knownSql = `
with seen as (
  select * from unnest($1::int[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[])
    as s (place, pbx_node_id, endpoint, dialled, shown, called)
)
select s.place, n.default_tenant_id as "defaultTenantId",
       case when l.id is not null
         then jsonb_build_object('tenantId', l.tenant_id, 'id', l.id, 'number', l.number, 'name', l.name) end as line,
       case when d.agent_id is not null
         then jsonb_build_object('tenantId', d.tenant_id, 'agentId', d.agent_id) end as device,
       exists (select from line t where t.pbx_node_id = s.pbx_node_id and t.outbound->>'endpoint' = s.endpoint) as "isTrunk",
       o.lines as "outboundLines", c.agents as "calledAgents",
       coalesce((select jsonb_object_agg(t.id, t.region) from tenant t
                  where t.id in (l.tenant_id, d.tenant_id, n.default_tenant_id) or t.id = any (o.tenant_ids || c.tenant_ids)), '{}') as regions
  from seen s
  join pbx_node n on n.id = s.pbx_node_id
  left join lateral (
    select tenant_id, id, number, name from line l
     where l.pbx_node_id = s.pbx_node_id and l.did in (s.dialled, ltrim(s.dialled, '+'))
     order by l.did = s.dialled desc limit 1
  ) l on true
  cross join lateral (
    select coalesce(jsonb_agg(jsonb_build_object('tenantId', tenant_id, 'id', id, 'number', number, 'name', name,
                                                 'isOnly', of_tenant = 1)), '[]') as lines,
           array_agg(tenant_id) as tenant_ids
      from (select tenant_id, id, number, name, count(*) over (partition by tenant_id) as of_tenant
              from line t where t.pbx_node_id = s.pbx_node_id and t.outbound->>'endpoint' = s.endpoint) t
     where of_tenant = 1 or right(number, 6) = right(s.shown, 6)
  ) o
  cross join lateral (
    select coalesce(jsonb_agg(jsonb_build_object('tenantId', tenant_id, 'agentId', agent_id, 'number', number)), '[]') as agents,
           array_agg(tenant_id) as tenant_ids
      from device
     where kind = 'number' and right(number, 6) = right(s.called, 6)
       and (tenant_id = n.default_tenant_id or tenant_id in (select tenant_id from device p where p.pbx_node_id = n.id))
  ) c
  left join device d on d.pbx_node_id = s.pbx_node_id and d.endpoint = s.endpoint`;

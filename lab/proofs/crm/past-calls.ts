import type { Call } from '../../../src/calls/domain/call.js';
import { newId } from '../../../src/common/ids.js';
import type { CrmLab } from '../../crm/crm-lab.js';
import type { CrmSimulator } from '../../crm/crm-simulator.js';
import type { Chance } from '../../replay/chance.js';
import { planCall, type PlannedAgent } from './plan-calls.js';

const CUSTOMERS = 500;
const BATCH = 500;
const DAY_MS = 86_400_000;

/** Calls of the last weeks, as they are stored, of which no CRM knows. Gives their ids. */
export async function storePast(
  { delivery }: CrmLab,
  crm: CrmSimulator,
  chance: Chance,
  {
    tenantId,
    agents,
    line,
    calls,
  }: { tenantId: string; agents: readonly PlannedAgent[]; line: Call['line']; calls: number },
): Promise<readonly string[]> {
  const customers = Array.from({ length: CUSTOMERS }, (_, n) => {
    const number = `+4930${String(10_000_000 + n)}`;
    return { number, contactId: crm.addContact({ name: `Customer ${n}`, numbers: [number] }).id };
  });
  const ids: string[] = [];
  while (ids.length < calls) {
    const batch = Array.from({ length: Math.min(BATCH, calls - ids.length) }, (): Call => {
      const startedAt = new Date(Date.now() - 2 * DAY_MS - chance.below(50 * DAY_MS));
      const of = { tenantId, nodeId: delivery.writer.nodeId, line, agents, otherCallId: newId() };
      const kind = chance.pick(['answered', 'outgoing', 'missed'] as const);
      const { call, stages } = planCall(kind, { ...of, ...chance.pick(customers), startedAt }, chance);
      const changes = stages.filter(({ storesRecording }) => !storesRecording).map((stage) => stage.changes);
      return Object.assign({}, call, ...changes, { version: stages.length }) as Call;
    });
    await delivery.source.query(
      `insert into call (tenant_id, id, pbx_node_id, boot, direction, status, outcome, remote_e164, agent_ids, started_at,
         ended_at, version, document)
       select "tenantId", id, "pbxNodeId", 'boot', direction, status, outcome, remote->>'e164', '{}', "startedAt", "endedAt",
         version, document
       from json_to_recordset($1::json) as c (id uuid, "tenantId" uuid, "pbxNodeId" uuid, direction text, status text,
         outcome text, remote json, "startedAt" timestamptz, "endedAt" timestamptz, version int, document jsonb)`,
      [JSON.stringify(batch.map((call) => ({ ...call, document: call })))],
    );
    ids.push(...batch.map(({ id }) => id));
  }
  return ids;
}

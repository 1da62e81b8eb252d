import type { CallEventType } from '../../src/calls/domain/call-event.js';
import { writeEvents } from '../../lab/write-events.js';
import { newId } from '../../src/common/ids.js';
import { OutboxWakeUp } from '../../src/outbox/outbox-wake-up.js';
import type { ApiWorld } from './api-world.js';
import { callDocument } from '../../lab/call-document.js';

/** Commits a call with its first events, as the ledger does, and nudges as it does; answers with the call's id. */
export async function commitCall(
  world: ApiWorld,
  { tenantId, nodeId }: { readonly tenantId: string; readonly nodeId: string },
  types: readonly CallEventType[],
): Promise<string> {
  const callId = newId();
  await world.source.query(
    `insert into call (tenant_id, id, pbx_node_id, boot, direction, status, agent_ids, started_at, version, document)
     values ($1, $2, $3, 'boot', 'inbound', 'queued', '{}', now(), 1, '{}')`,
    [tenantId, callId, nodeId],
  );
  const events = types.map((type, index) => {
    const [id, sequence, createdAt] = [newId(), index + 1, new Date()];
    const data = { call: callDocument({ id: callId, tenantId, version: sequence }) };
    const event = { id, type, timestamp: createdAt.toISOString(), tenantId, sequence, data };
    return { event, row: { tenantId, id, callId, type, sequence, createdAt, document: JSON.stringify(event) } };
  });
  await writeEvents(
    world.source,
    events.map(({ row }) => row),
  );
  world.app.get(OutboxWakeUp, { strict: false }).onCommit([
    {
      tenantId,
      callId,
      nodeId,
      call: callDocument({ id: callId, tenantId }),
      events: events.map(({ event, row }) => ({ event, text: row.document })),
      receivedAt: null,
      committedAt: Date.now(),
    },
  ]);
  return callId;
}

import type { DataSource, QueryRunner } from 'typeorm';
import { writeEvents, type OutboxEvent } from '../../outbox/outbox.js';
import type { Call } from '../domain/call.js';
import type { Fact } from '../domain/fact.js';
import { LiveCall } from './live-call.js';
import { legKey, type NodeBoot } from './told.js';

/** PostgreSQL channel: a click-to-call was accepted or refused. Payload: the call's id. */
export const REQUEST_DECIDED = 'ringline_request_decided';

/** What one commit writes. */
export type Commit = {
  readonly facts: readonly (NodeBoot & { readonly fact: Fact; readonly tenantId: string; readonly callId: string })[];
  /** Calls with a visible change, as of the newest one. */
  readonly calls: readonly { readonly call: Call; readonly boot: string }[];
  readonly events: readonly OutboxEvent[];
};

type FactRow = {
  pbx_node_id: string;
  boot: string;
  leg: string;
  kind: string;
  key: string;
  at: Date;
  source: string;
  data: unknown;
};
type CallRowView = { tenant_id: string; id: string; pbx_node_id: string; boot: string; document: Call };

/** The tables of the ledger, in plain SQL: a commit is a handful of statements however many facts it carries. */
export class LedgerStore {
  constructor(private readonly source: DataSource) {}

  /** Writes facts, calls, events and deliveries in one transaction. */
  async commit(commit: Commit): Promise<void> {
    const runner = this.source.createQueryRunner();
    try {
      await runner.startTransaction();
      await writeCalls(runner, commit.calls);
      await writeFacts(runner, commit.facts);
      if (commit.events.length > 0) await writeEvents(runner, commit.events);
      await settleRequests(runner, commit.calls);
      await runner.commitTransaction();
    } catch (error) {
      await runner.rollbackTransaction().catch(() => undefined);
      throw error;
    } finally {
      await runner.release();
    }
  }

  /** Calls of legs, by leg key. Legs that belong to no call are left out. */
  async callsOfLegs(
    legs: readonly (NodeBoot & { readonly leg: string })[],
  ): Promise<Map<string, { tenantId: string; callId: string }>> {
    if (legs.length === 0) return new Map();
    const rows: { pbx_node_id: string; boot: string; leg: string; tenant_id: string; call_id: string }[] =
      await this.source.query(
        `select l.pbx_node_id, l.boot, l.leg, l.tenant_id, l.call_id
         from call_leg l join unnest($1::uuid[], $2::text[], $3::text[]) as asked (pbx_node_id, boot, leg)
           on l.pbx_node_id = asked.pbx_node_id and l.boot = asked.boot and l.leg = asked.leg`,
        [legs.map(({ nodeId }) => nodeId), legs.map(({ boot }) => boot), legs.map(({ leg }) => leg)],
      );
    return new Map(
      rows.map((row) => [
        legKey({ nodeId: row.pbx_node_id, boot: row.boot }, row.leg),
        { tenantId: row.tenant_id, callId: row.call_id },
      ]),
    );
  }

  async load(callIds: readonly string[]): Promise<LiveCall[]> {
    if (callIds.length === 0) return [];
    const calls: CallRowView[] = await this.source.query(
      'select tenant_id, id, pbx_node_id, boot, document from call where id = any($1::uuid[])',
      [callIds],
    );
    return this.#withFacts(calls);
  }

  /** Calls of a node that have not ended, whichever boot carried them. */
  async loadOpen(nodeId: string): Promise<LiveCall[]> {
    const calls: CallRowView[] = await this.source.query(
      'select tenant_id, id, pbx_node_id, boot, document from call where pbx_node_id = $1 and ended_at is null',
      [nodeId],
    );
    return this.#withFacts(calls);
  }

  async #withFacts(calls: readonly CallRowView[]): Promise<LiveCall[]> {
    const rows: (FactRow & { call_id: string })[] = await this.source.query(
      `select l.call_id, f.pbx_node_id, f.boot, f.leg, f.kind, f.key, f.at, f.source, f.data
         from call_leg l join call_fact f using (pbx_node_id, boot, leg)
        where (l.tenant_id, l.call_id) in (select * from unnest($1::uuid[], $2::uuid[]))`,
      [calls.map((call) => call.tenant_id), calls.map((call) => call.id)],
    );
    const facts = new Map<string, Fact[]>(calls.map(({ id }) => [id, []]));
    for (const row of rows) facts.get(row.call_id)?.push(toFact(row));
    return calls.map(
      (call) =>
        new LiveCall(
          { id: call.id, tenantId: call.tenant_id, pbxNodeId: call.pbx_node_id },
          call.boot,
          facts.get(call.id) ?? [],
          call.document,
        ),
    );
  }
}

function toFact(row: FactRow): Fact {
  return {
    leg: row.leg,
    kind: row.kind,
    key: row.key,
    at: row.at.getTime(),
    source: row.source,
    data: row.data,
  } as Fact;
}

async function writeCalls(runner: QueryRunner, calls: Commit['calls']): Promise<void> {
  if (calls.length === 0) return;
  await runner.query(
    `insert into call (tenant_id, id, pbx_node_id, boot, direction, status, outcome, remote_e164, agent_ids,
                       started_at, ended_at, version, document)
     select (d->>'tenantId')::uuid, (d->>'id')::uuid, (d->>'pbxNodeId')::uuid, boot, d->>'direction', d->>'status', d->>'outcome',
            d->'remote'->>'e164',
            array(select distinct (p->>'agentId')::uuid from jsonb_array_elements(d->'participants') p where p->>'agentId' is not null),
            (d->>'startedAt')::timestamptz, (d->>'endedAt')::timestamptz, (d->>'version')::int, d
       from unnest($1::jsonb[], $2::text[]) as given (d, boot)
     on conflict (tenant_id, id) do update
        set direction = excluded.direction, status = excluded.status, outcome = excluded.outcome,
            remote_e164 = excluded.remote_e164, agent_ids = excluded.agent_ids, started_at = excluded.started_at,
            ended_at = excluded.ended_at, version = excluded.version, document = excluded.document, updated_at = now()`,
    [calls.map(({ call }) => JSON.stringify(call)), calls.map(({ boot }) => boot)],
  );
}

async function writeFacts(runner: QueryRunner, facts: Commit['facts']): Promise<void> {
  if (facts.length === 0) return;
  const legs = new Map(facts.map((row) => [legKey(row, row.fact.leg), row]));
  const legRows = [...legs.values()];
  await runner.query(
    `insert into call_leg (pbx_node_id, boot, leg, tenant_id, call_id)
     select * from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::uuid[])
     on conflict do nothing`,
    [
      legRows.map(({ nodeId }) => nodeId),
      legRows.map(({ boot }) => boot),
      legRows.map(({ fact }) => fact.leg),
      legRows.map(({ tenantId }) => tenantId),
      legRows.map(({ callId }) => callId),
    ],
  );
  await runner.query(
    `insert into call_fact (pbx_node_id, boot, leg, kind, key, at, source, data)
     select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::jsonb[])
     on conflict (pbx_node_id, boot, leg, kind, key) do update
        set at = excluded.at, source = excluded.source, data = excluded.data`,
    [
      facts.map(({ nodeId }) => nodeId),
      facts.map(({ boot }) => boot),
      facts.map(({ fact }) => fact.leg),
      facts.map(({ fact }) => fact.kind),
      facts.map(({ fact }) => fact.key),
      facts.map(({ fact }) => new Date(fact.at)),
      facts.map(({ fact }) => fact.source),
      facts.map(({ fact }) => JSON.stringify(fact.data)),
    ],
  );
}

/**
 * Click-to-calls that are placed by this commit are accepted and audited, those that are over no longer count against
 * their agent and tenant. Whoever waits for the decision is woken.
 */
async function settleRequests(runner: QueryRunner, calls: Commit['calls']): Promise<void> {
  const outbound = calls.filter(({ call }) => call.direction === 'outbound').map(({ call }) => call);
  const over = outbound.filter(({ endedAt }) => endedAt !== null).map(({ id }) => id);
  const placed = outbound.filter(({ version, endedAt }) => version === 1 || endedAt !== null).map(({ id }) => id);
  if (placed.length === 0) return;
  await runner.query(
    `with settled as (
       update call_request set state = 'accepted', open = not (call_id = any($2::uuid[]))
        where call_id = any($1::uuid[]) returning tenant_id, call_id, actor_key_id, agent_id, created_at
     ), audited as (
       insert into audit_entry (id, tenant_id, at, actor_key_id, action, target_type, target_id, detail)
       select call_id, tenant_id, created_at, actor_key_id, 'call.requested', 'call', call_id::text, jsonb_build_object('agentId', agent_id)
         from settled on conflict do nothing
     )
     select pg_notify('${REQUEST_DECIDED}', call_id::text) from settled`,
    [placed, over],
  );
}

import type { DataSource } from 'typeorm';
import { isDatabaseLost } from '../../database/database-errors.js';
import { pool, runPrepared } from '../../database/prepared.js';
import { linkedPart } from '../../outbox/crm-links.js';
import { eventParts, eventsParameter, type OutboxEvent } from '../../outbox/outbox.js';
import { recordingSteps, writeRecordings } from '../../recordings/recording-rows.js';
import type { Call } from '../domain/call.js';
import type { Fact } from '../domain/fact.js';
import { LiveCall } from './live-call.js';
import { legKey, type NodeBoot } from './told.js';

/** PostgreSQL channel: a click-to-call was accepted or refused. Payload: the call's id. */
export const REQUEST_DECIDED = 'ringline_request_decided';

/** An observed call that has become part of another one, to which its legs go. */
export type Merge = { readonly tenantId: string; readonly from: string; readonly into: string };

/** What one commit writes. */
export type Commit = {
  readonly facts: readonly (NodeBoot & { readonly fact: Fact; readonly tenantId: string; readonly callId: string })[];
  /** Calls with a visible change, as of the newest one: what the last of their events tells. */
  readonly calls: readonly Call[];
  readonly events: readonly OutboxEvent[];
  readonly merges: readonly Merge[];
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

/** What the ledger needs of its store. */
export type CallStore = Pick<LedgerStore, keyof LedgerStore>;

/** The tables of the ledger, in plain SQL: a commit is a handful of statements however many facts it carries. */
export class LedgerStore {
  constructor(private readonly source: DataSource) {}

  /**
   * Writes calls, legs, facts, events and deliveries in one statement, which is a transaction of its own. Click-to-calls
   * that begin or end in it, and recordings that do, need another one.
   */
  async commit(commit: Commit): Promise<void> {
    const values = commitValues(commit);
    const placedOrOver = commit.calls.filter(
      (call) => call.control === 'driven' && call.direction === 'outbound' && (call.version === 1 || hasLetGo(call)),
    );
    const recordings = commit.facts.filter(({ fact }) => recordingSteps.has(fact.kind));
    if (placedOrOver.length === 0 && recordings.length === 0 && commit.merges.length === 0) {
      await runPrepared(this.source, commitStatement, values);
      return;
    }
    const client = await pool(this.source).connect();
    let failure: Error | undefined;
    try {
      await client.query('begin');
      await client.query({ ...commitStatement, values });
      if (placedOrOver.length > 0)
        await client.query(settleSql, [
          placedOrOver.map(({ id }) => id),
          placedOrOver.filter(hasLetGo).map(({ id }) => id),
        ]);
      await writeRecordings(client, recordings);
      for (const { tenantId, from, into } of commit.merges)
        await client.query('update call_leg set call_id = $3 where tenant_id = $1 and call_id = $2 and leg <> $4', [
          tenantId,
          from,
          into,
          from,
        ]);
      await client.query('commit');
    } catch (error) {
      failure = error as Error;
      await client.query('rollback').catch(() => undefined);
      throw error;
    } finally {
      client.release(failure !== undefined && isDatabaseLost(failure));
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

/** A call that no longer keeps busy the agent who placed it. */
function hasLetGo({ endedAt, participants }: Call): boolean {
  return endedAt !== null || participants.some(({ role }) => role === 'transferred');
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

/** Foreign keys are checked at the end of the statement, so that its parts may refer to each other. */
const commitSql = `
with given_facts as (
  select * from json_to_recordset($1::json)
    as f ("nodeId" uuid, boot text, leg text, kind text, key text, at timestamptz, source text, data jsonb,
          "tenantId" uuid, "callId" uuid)
), ${eventParts(2)}, newest as (
  select distinct on ("callId") "tenantId", "callId", document::jsonb #> '{data,call}' as d from event
   order by "callId", sequence desc
), stored_calls as (
  insert into call (tenant_id, id, pbx_node_id, boot, direction, status, outcome, remote_e164, agent_ids,
                    started_at, ended_at, version, document)
  select "tenantId", "callId", (d->>'pbxNodeId')::uuid, (select boot from given_facts f where f."callId" = n."callId" limit 1),
         d->>'direction', d->>'status', d->>'outcome', d->'remote'->>'e164',
         array(select distinct (p->>'agentId')::uuid from jsonb_array_elements(d->'participants') p where p->>'agentId' is not null),
         (d->>'startedAt')::timestamptz, (d->>'endedAt')::timestamptz, (d->>'version')::int, d
    from newest n
  on conflict (tenant_id, id) do update
     set direction = excluded.direction, status = excluded.status, outcome = excluded.outcome,
         remote_e164 = excluded.remote_e164, agent_ids = excluded.agent_ids, started_at = excluded.started_at,
         ended_at = excluded.ended_at, version = excluded.version, document = excluded.document, updated_at = now()
), stored_legs as (
  insert into call_leg (pbx_node_id, boot, leg, tenant_id, call_id)
  select distinct "nodeId", boot, leg, "tenantId", "callId" from given_facts
  on conflict do nothing
), stored_facts as (
  insert into call_fact (pbx_node_id, boot, leg, kind, key, at, source, data)
  select "nodeId", boot, leg, kind, key, at, source, data from given_facts
  on conflict (pbx_node_id, boot, leg, kind, key) do update
     set at = excluded.at, source = excluded.source, data = excluded.data
)
select`;
const commitStatement = { name: 'ledger-commit', text: commitSql };

function commitValues({ facts, events }: Commit): string[] {
  // Field by field: copies of objects are dear, and these are most of what a commit writes.
  const rows = facts.map(({ nodeId, boot, tenantId, callId, fact: { leg, kind, key, at, source, data } }) => ({
    nodeId,
    boot,
    tenantId,
    callId,
    leg,
    kind,
    key,
    at: new Date(at),
    source,
    data,
  }));
  return [JSON.stringify(rows), eventsParameter(events)];
}

/**
 * Click-to-calls that are placed are accepted and audited, those that are over, or went to somebody else, no longer count
 * against their agent and tenant. What a CRM has of them
 * already is noted before anybody can tell it of them. Whoever waits for the decision is woken.
 */
const settleSql = `
with settled as (
  update call_request set state = 'accepted', open = not (call_id = any($2::uuid[]))
   where call_id = any($1::uuid[]) returning tenant_id, call_id, actor_key_id, agent_id, created_at, crm
), audited as (
  insert into audit_entry (id, tenant_id, at, actor_key_id, action, target_type, target_id, detail)
  select call_id, tenant_id, created_at, actor_key_id, 'call.requested', 'call', call_id::text,
         jsonb_strip_nulls(jsonb_build_object('agentId', agent_id, 'crmConnectionId', crm ->> 'connectionId'))
    from settled on conflict do nothing
), ${linkedPart('settled')}
select pg_notify('${REQUEST_DECIDED}', call_id::text) from settled`;

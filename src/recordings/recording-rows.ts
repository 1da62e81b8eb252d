/** What `writeRecordings` needs of a database: a connection of `pg` fits. */
type SqlRunner = { query(sql: string, parameters: unknown[]): Promise<unknown> };

/** One thing told about a call's recording; `key` is the recording's id. */
type RecordingStep = {
  readonly tenantId: string;
  readonly callId: string;
  readonly nodeId: string;
  readonly fact: { readonly kind: string; readonly key: string; readonly at: number; readonly data: unknown };
};

/** Kinds of facts with which a recording begins, and ends in the switch. */
export const recordingSteps: ReadonlySet<string> = new Set([
  'recording-planned',
  'recording-finished',
  'recording-failed',
]);

/** A recording that should be over is asked about this long after it was planned, and so often, seconds. */
export const LOOK_EVERY_SECONDS = 60;

/**
 * Writes the rows by which recordings are taken over, in the transaction that writes the facts: a recording that was begun
 * is never forgotten, whoever dies.
 */
export async function writeRecordings(db: SqlRunner, steps: readonly RecordingStep[]): Promise<void> {
  const of = (kind: string): readonly RecordingStep[] => steps.filter(({ fact }) => fact.kind === kind);
  const planned = of('recording-planned');
  if (planned.length > 0)
    await db.query(plannedSql, [
      planned.map(({ tenantId }) => tenantId),
      planned.map(({ fact }) => fact.key),
      planned.map(({ callId }) => callId),
      planned.map(({ nodeId }) => nodeId),
      planned.map(({ fact }) => new Date(fact.at)),
    ]);
  const finished = of('recording-finished');
  if (finished.length > 0)
    await db.query(finishedSql, [
      finished.map(({ tenantId }) => tenantId),
      finished.map(({ fact }) => fact.key),
      finished.map(({ fact }) => new Date(fact.at)),
      finished.map(({ fact }) => (fact.data as { readonly seconds: number | null }).seconds),
    ]);
  const failed = of('recording-failed');
  if (failed.length > 0)
    await db.query(failedSql, [
      failed.map(({ tenantId }) => tenantId),
      failed.map(({ fact }) => fact.key),
      failed.map(({ fact }) => (fact.data as { readonly reason: string }).reason),
    ]);
}

const plannedSql = `
insert into recording (tenant_id, id, call_id, pbx_node_id, planned_at, state, attempts, next_attempt_at)
select t.*, 'recording', 0, now() + interval '${LOOK_EVERY_SECONDS} s'
from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[]) as t
on conflict do nothing`;

/** Two things said about one end change nothing: the first has set the row going. */
const finishedSql = `
update recording r
set state = 'finished', finished_at = t.at, told_seconds = t.seconds, attempts = 0, next_attempt_at = now(),
  claimed_by = null, claim_until = null
from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::int[]) as t (tenant_id, id, at, seconds)
where r.tenant_id = t.tenant_id and r.id = t.id and r.state = 'recording'`;

const failedSql = `
update recording r set state = 'failed', failure = t.reason, claimed_by = null, claim_until = null
from unnest($1::uuid[], $2::uuid[], $3::text[]) as t (tenant_id, id, reason)
where r.tenant_id = t.tenant_id and r.id = t.id and r.state = 'recording'`;

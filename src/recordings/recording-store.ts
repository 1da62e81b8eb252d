import type { DataSource } from 'typeorm';
import type { RecordingRowState } from './recording.entity.js';

/** A recording that one claim may work on until it runs out. */
export type ClaimedRecording = {
  readonly claim: string;
  readonly tenantId: string;
  readonly id: string;
  readonly callId: string;
  readonly nodeId: string;
  readonly plannedAt: Date;
  readonly finishedAt: Date | null;
  readonly toldSeconds: number | null;
  readonly durationMs: number | null;
  readonly state: Extract<RecordingRowState, 'recording' | 'fetching' | 'stored' | 'erasing'>;
  readonly attempts: number;
  /** The call is over, and so should the recording be. */
  readonly isCallOver: boolean;
};

/** How a row goes on. */
export type Move = {
  readonly state: RecordingRowState;
  readonly attempts?: number;
  readonly waitMs?: number;
  readonly failure?: string;
  readonly file?: { readonly bytes: number; readonly durationMs: number; readonly digest: Buffer };
};

/** What waits in the switches, by the database's clock. */
export type Waiting = { readonly count: number; readonly oldestSeconds: number };

/** A live recording is given this long to end by itself after its call, seconds. */
const CALL_OVER_SECONDS = 10;

/** $1 claim, $2 limit, $3 seconds. Claims of several workers never wait for each other. */
const claimSql = `
with due as (
  select tenant_id, id from recording
  where state in ('recording', 'finished', 'fetching', 'stored', 'erasing') and next_attempt_at <= now()
    and (claim_until is null or claim_until <= now())
  order by next_attempt_at limit $2 for update skip locked
), claimed as (
  update recording r
  set claimed_by = $1, claim_until = now() + make_interval(secs => $3),
    state = case r.state when 'finished' then 'fetching' else r.state end
  from due where r.tenant_id = due.tenant_id and r.id = due.id
  returning r.*
)
select r.claimed_by as claim, r.tenant_id as "tenantId", r.id, r.call_id as "callId", r.pbx_node_id as "nodeId",
  r.planned_at as "plannedAt", r.finished_at as "finishedAt", r.told_seconds as "toldSeconds", r.duration_ms as "durationMs",
  r.state, r.attempts, coalesce(c.ended_at < now() - interval '${CALL_OVER_SECONDS} s', false) as "isCallOver"
from claimed r join call c on c.tenant_id = r.tenant_id and c.id = r.call_id`;

/** Only who holds the claim moves a row: what was erased or taken over by another meanwhile stays as it is. */
const moveSql = `
with moved as (
  update recording
  set state = $4, attempts = $5, next_attempt_at = now() + $6 * interval '1 ms', failure = $7, bytes = coalesce($8, bytes),
    duration_ms = coalesce($9, duration_ms), digest = coalesce($10, digest), claimed_by = null, claim_until = null
  where tenant_id = $1 and id = $2 and claimed_by = $3
  returning 1
) select * from moved`;

const renewSql = `
update recording r set claim_until = now() + make_interval(secs => $4)
from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as t (tenant_id, id, claim)
where r.tenant_id = t.tenant_id and r.id = t.id and r.claimed_by = t.claim`;

/** Rows of recordings, claimed and moved on by the take-over. */
export class RecordingStore {
  constructor(
    private readonly source: DataSource,
    private readonly claimSeconds: number,
  ) {}

  claim(claim: string, limit: number): Promise<ClaimedRecording[]> {
    return this.source.query(claimSql, [claim, limit, this.claimSeconds]);
  }

  async renew(held: readonly ClaimedRecording[]): Promise<void> {
    if (held.length === 0) return;
    await this.source.query(renewSql, [
      held.map(({ tenantId }) => tenantId),
      held.map(({ id }) => id),
      held.map(({ claim }) => claim),
      this.claimSeconds,
    ]);
  }

  /** @returns false when the claim was lost: somebody else decides about the row. */
  async move({ tenantId, id, claim }: ClaimedRecording, to: Move): Promise<boolean> {
    const rows: unknown[] = await this.source.query(moveSql, [
      tenantId,
      id,
      claim,
      to.state,
      to.attempts ?? 0,
      to.waitMs ?? 0,
      to.failure ?? null,
      to.file?.bytes ?? null,
      to.file?.durationMs ?? null,
      to.file?.digest ?? null,
    ]);
    return rows.length > 0;
  }

  /** Has the recordings of a call looked for now, if their end is not known. */
  async hasten(tenantId: string, callId: string): Promise<void> {
    await this.source.query(
      `update recording set next_attempt_at = now() where tenant_id = $1 and call_id = $2 and state = 'recording'`,
      [tenantId, callId],
    );
  }

  async waiting(): Promise<Waiting> {
    const [row]: Waiting[] = await this.source.query(
      `select count(*)::int as count, coalesce(extract(epoch from now() - min(finished_at)), 0)::float8 as "oldestSeconds"
       from recording where state in ('finished', 'fetching')`,
    );
    return row ?? { count: 0, oldestSeconds: 0 };
  }

  /** Which of these ids have a row that has, or may soon have, a file. */
  async wanted(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const rows: { id: string }[] = await this.source.query(
      `select id from recording where id = any($1::uuid[]) and state not in ('erasing', 'erased')`,
      [ids],
    );
    return new Set(rows.map(({ id }) => id));
  }
}

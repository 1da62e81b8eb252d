import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import type { CrmConnection } from '../connections/crm-connection.entity.js';
import type { DoorRequest } from '../port/door.js';
import type { DialTelling, DoorAnswer } from './door-answer.js';

/** Whoever has not answered in this time is taken for dead. */
const DEAD_AFTER_SECONDS = 30;
const POLL_MS = 100;

type Connection = Pick<CrmConnection, 'tenantId' | 'id'>;

/** The replay key: the vendor's own id of the request, else what it says. */
export function keyHashOf(key: string | null, { method, query, body }: DoorRequest): Buffer {
  const hash = createHash('sha256');
  if (key !== null) return hash.update(`id:${key}`).digest();
  // Of GET the query is all there is.
  return hash
    .update(`${method} ${JSON.stringify(query)}\n`)
    .update(body)
    .digest();
}

/** Requests that were heeded, each once: rows of `crm_door_request`. */
export class DoorRequests {
  constructor(private readonly source: DataSource) {}

  /** @returns false when it came before, in the last 24 hours */
  async begin({ tenantId, id }: Connection, keyHash: Buffer): Promise<boolean> {
    const rows: unknown[] = await this.source.query(
      `insert into crm_door_request as r (tenant_id, connection_id, key_hash, received_at, claimed_at)
       values ($1, $2, $3, now(), now())
       on conflict (tenant_id, connection_id, key_hash) do update
         set received_at = now(), claimed_at = now(), answer = null, telling = null, tell_at = null, tell_attempts = 0
         where r.received_at < now() - interval '24 hours'
            or (r.answer is null and r.claimed_at < now() - make_interval(secs => $4))
       returning 1`,
      [tenantId, id, keyHash, DEAD_AFTER_SECONDS],
    );
    return rows.length > 0;
  }

  /** What the first one was answered; null when that is not known in time. */
  async answerOf({ tenantId, id }: Connection, keyHash: Buffer, waitMs: number): Promise<DoorAnswer | null> {
    for (let left = waitMs; ; left -= POLL_MS) {
      const [row]: { answer: DoorAnswer | null }[] = await this.source.query(
        `select answer from crm_door_request where tenant_id = $1 and connection_id = $2 and key_hash = $3`,
        [tenantId, id, keyHash],
      );
      if (row?.answer != null || row === undefined || left <= 0) return row?.answer ?? null;
      await sleep(POLL_MS);
    }
  }

  async finish(
    { tenantId, id }: Connection,
    keyHash: Buffer,
    answer: DoorAnswer,
    telling: DialTelling | null,
  ): Promise<void> {
    await this.source.query(
      `with done as (
         update crm_door_request set answer = $4, telling = $5::jsonb, tell_at = case when $5::jsonb is not null then now() end
          where tenant_id = $1 and connection_id = $2 and key_hash = $3 returning 1
       ) select * from done`,
      [tenantId, id, keyHash, answer, telling],
    );
  }

  /** Nothing was decided: the next repetition is heeded. */
  async release({ tenantId, id }: Connection, keyHash: Buffer): Promise<void> {
    await this.source.query(
      `with gone as (
         delete from crm_door_request where tenant_id = $1 and connection_id = $2 and key_hash = $3 and answer is null returning 1
       ) select * from gone`,
      [tenantId, id, keyHash],
    );
  }

  async sweep(): Promise<void> {
    await this.source.query(`delete from crm_door_request where received_at < now() - interval '24 hours'`);
  }
}

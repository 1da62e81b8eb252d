import type { Log } from '../../common/logger.js';
import type { Database } from '../../database/database.js';
import { NudgedLoop } from '../../outbox/nudged-loop.js';
import type { CrmClients } from '../client/crm-clients.js';
import { CrmConnection } from '../connections/crm-connection.entity.js';
import type { DialTelling } from './door-answer.js';
import type { DoorMetrics } from './door-metrics.js';
import type { DoorRequests } from './door-requests.js';

const SWEEP_MS = 5_000;
const FORGET_EVERY_MS = 600_000;
const AT_ONCE = 20;
/** Who has told nothing after this died over it. */
const CLAIM_SECONDS = 60;
/** Pauses after failed tries, seconds: later than that, whoever clicked has looked for himself. */
const PAUSES = [2, 10, 60];

type Row = {
  readonly tenant_id: string;
  readonly connection_id: string;
  readonly key_hash: Buffer;
  readonly telling: DialTelling;
  readonly tell_attempts: number;
};

/** Tells CRMs what became of their clicks, after they were answered: each stands in a row until it is told, or given up. */
export class DialTellings {
  readonly #loop: NudgedLoop;
  #forgotAt = 0;

  constructor(
    private readonly database: Pick<Database, 'source' | 'assertReady'>,
    private readonly clients: Pick<CrmClients, 'session'>,
    private readonly requests: DoorRequests,
    private readonly metrics: DoorMetrics,
    private readonly log: Log,
  ) {
    this.#loop = new NudgedLoop(() => this.#round(), SWEEP_MS, 0);
  }

  start(): void {
    this.#loop.start();
  }

  nudge(): void {
    this.#loop.nudge();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #round(): Promise<boolean> {
    this.database.assertReady();
    const rows: Row[] = await this.database.source.query(
      `with due as (
         select tenant_id, connection_id, key_hash from crm_door_request
          where tell_at <= now() order by tell_at limit ${AT_ONCE} for update skip locked
       ), claimed as (
         update crm_door_request r
            set tell_at = now() + make_interval(secs => ${CLAIM_SECONDS}), tell_attempts = r.tell_attempts + 1
           from due where (r.tenant_id, r.connection_id, r.key_hash) = (due.tenant_id, due.connection_id, due.key_hash)
         returning r.tenant_id, r.connection_id, r.key_hash, r.telling, r.tell_attempts
       ) select * from claimed`,
    );
    await Promise.all(rows.map((row) => this.#tell(row)));
    if (Date.now() - this.#forgotAt > FORGET_EVERY_MS) {
      this.#forgotAt = Date.now();
      await this.requests.sweep();
    }
    return rows.length === AT_ONCE;
  }

  async #tell(row: Row): Promise<void> {
    const failure = await this.#try(row);
    if (failure === null) {
      this.metrics.told.inc({ outcome: 'done' });
      return this.#settle(row, null);
    }
    const pause = PAUSES[row.tell_attempts - 1];
    const isFinal = !failure.mayPass || pause === undefined;
    this.metrics.told.inc({ outcome: isFinal ? 'given-up' : 'failed' });
    const about = { scope: 'crm', connectionId: row.connection_id, why: failure.why };
    if (isFinal) this.log.warn(about, 'the CRM was not told what became of its click-to-call');
    else this.log.debug(about, 'the CRM could not be told what became of its click-to-call');
    return this.#settle(row, isFinal ? null : Math.max(pause, (failure.afterMs ?? 0) / 1000));
  }

  /** Null when it was told. */
  async #try(row: Row): Promise<{ readonly why: string; readonly mayPass: boolean; readonly afterMs?: number } | null> {
    try {
      const where = { tenantId: row.tenant_id, id: row.connection_id };
      const connection = await this.database.source.manager.findOneBy(CrmConnection, where);
      const session = connection === null ? null : this.clients.session(connection, 'open');
      if (session?.tellDialled === undefined) return null;
      const verdict = await session.tellDialled(row.telling.wish, row.telling.result);
      switch (verdict.verdict) {
        case 'done':
          return null;
        case 'rate-limited':
          return {
            why: verdict.why,
            mayPass: true,
            ...(verdict.afterMs !== undefined && { afterMs: verdict.afterMs }),
          };
        case 'retry':
          return { why: verdict.why, mayPass: true };
        case 'rejected':
        case 'credentials-refused':
        case 'gone':
          return { why: verdict.why, mayPass: false };
      }
    } catch (error) {
      return { why: String(error), mayPass: true };
    }
  }

  /** @param againInSeconds null: nothing is left to tell, and the number is not kept for it */
  async #settle(row: Row, againInSeconds: number | null): Promise<void> {
    await this.database.source.query(
      `with settled as (
         update crm_door_request
            set tell_at = now() + make_interval(secs => $4::double precision),
                telling = case when $4::double precision is not null then telling end
          where tenant_id = $1 and connection_id = $2 and key_hash = $3 returning 1
       ) select * from settled`,
      [row.tenant_id, row.connection_id, row.key_hash, againInSeconds],
    );
  }
}

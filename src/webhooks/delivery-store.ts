import type { DataSource } from 'typeorm';
import { runPreparedWithout } from '../database/prepared.js';
import {
  SUPERSEDE_AFTER_ATTEMPTS,
  claimSettings,
  claimSql,
  completeSettings,
  completeSql,
  giveBackSql,
} from './delivery-sql.js';

/** A delivery that this process may send until `CLAIM_SECONDS` have passed. */
export type ClaimedDelivery = {
  readonly tenantId: string;
  readonly id: string;
  readonly endpointId: string;
  readonly eventId: string;
  /** What keeps its order: the call, or for an event about no call the event itself. */
  readonly callId: string;
  readonly sequence: number;
  readonly url: string;
  readonly secretSealed: string;
  /** While it is still valid beside a newer one. */
  readonly previousSecretSealed: string | null;
  readonly document: string;
  /** Of this try, from 1. */
  readonly attempt: number;
  /** Of this try in the schedule, from 1: a replay begins it anew. */
  readonly turn: number;
  /** Tries in a row before this one of which nobody told the end: their senders were killed. */
  readonly lost: number;
  readonly isReplay: boolean;
  /** Whether its endpoint counted as failing when it was claimed. */
  readonly wasFailing: boolean;
  /** How long ago the event was committed, ms, by the database's clock. */
  readonly ageMs: number;
};

/** What became of one try. */
export type CompletedAttempt = {
  readonly tenantId: string;
  readonly deliveryId: string;
  readonly number: number;
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly excerpt: string | null;
  readonly result: 'delivered' | 'pending' | 'dead';
  /** Until the next try, when one follows. */
  readonly retryInMs: number | null;
};

export type ClaimRequest = {
  /** Tenants that were nudged; `null` looks at every endpoint. */
  readonly tenantIds: readonly string[] | null;
  /** How many more deliveries each endpoint that is being sent to may get; the others get `otherRoom`. */
  readonly room: ReadonlyMap<string, number>;
  readonly otherRoom: number;
  /** The same for tenants. */
  readonly tenantRoom: ReadonlyMap<string, number>;
  readonly otherTenantRoom: number;
  readonly limit: number;
};

export type Claimed = {
  readonly deliveries: readonly ClaimedDelivery[];
  /** How many gave way to a later event of their call. */
  readonly superseded: number;
  /** Tenants for which more is due now than could be seen before. */
  readonly goOn: readonly string[];
};

/** Deliveries in PostgreSQL, claimed and completed many at a time. */
export class DeliveryStore {
  constructor(
    private readonly source: DataSource,
    /** This process, as the claims name it. */
    private readonly workerId: string,
    private readonly claimSeconds: number,
  ) {}

  /** Takes what is due. Of a call and endpoint it may be several, nothing unfinished between them: they are to go one after the other. */
  async claim(request: ClaimRequest): Promise<Claimed> {
    const rows = await runPreparedWithout<
      ClaimedDelivery & { superseded: string[] | null; postponed: string[] | null }
    >(this.source, claimSettings, { name: 'webhook-claim', text: claimSql }, [
      this.workerId,
      request.tenantIds,
      [...request.room.keys()],
      [...request.room.values()],
      request.otherRoom,
      request.limit,
      this.claimSeconds,
      SUPERSEDE_AFTER_ATTEMPTS,
      [...request.tenantRoom.keys()],
      [...request.tenantRoom.values()],
      request.otherTenantRoom,
    ]);
    const superseded = rows[0]?.superseded ?? [];
    return {
      deliveries: rows.filter(({ id }) => id !== null),
      superseded: superseded.length,
      goOn: [...new Set([...superseded, ...(rows[0]?.postponed ?? [])])],
    };
  }

  /** Stores tries and what follows from them. A try whose claim was taken over meanwhile changes nothing. */
  async complete(attempts: readonly CompletedAttempt[]): Promise<void> {
    if (attempts.length === 0) return;
    const column = <K extends keyof CompletedAttempt>(name: K): CompletedAttempt[K][] => attempts.map((a) => a[name]);
    await runPreparedWithout(this.source, completeSettings, { name: 'webhook-complete', text: completeSql }, [
      column('tenantId'),
      column('deliveryId'),
      column('number'),
      column('startedAt'),
      column('durationMs'),
      column('status'),
      column('error'),
      column('excerpt'),
      column('result'),
      column('retryInMs'),
    ]);
  }

  /** Gives back claims that were not used, as if they had never been made. */
  async giveBack(claims: readonly ClaimedDelivery[]): Promise<void> {
    if (claims.length === 0) return;
    await this.source.query(giveBackSql, [
      claims.map(({ tenantId }) => tenantId),
      claims.map(({ id }) => id),
      claims.map(({ attempt }) => attempt),
    ]);
  }
}

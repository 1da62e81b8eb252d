import type { DataSource } from 'typeorm';
import type { Call } from '../../calls/domain/call.js';
import { runPrepared } from '../../database/prepared.js';
import type { AuditLog } from '../../tenancy/audit-log.js';
import type { CrmConnection } from '../connections/crm-connection.entity.js';
import type { CrmSync } from './crm-sync.entity.js';
import type { CreatedKind } from '../port/crm-adapter.js';
import type { LinkedContact, Links } from './links.js';
import {
  acceptedSql,
  claimSql,
  disableSql,
  failSql,
  finishSql,
  forgetSql,
  giveBackSql,
  keepSql,
  laterSql,
  loadSql,
  lockNumberSql,
  madeForNumberSql,
  refusedSql,
  renewSql,
  tenantsSql,
  wakeTasksSql,
} from './sync-sql.js';

/** A row that one claim may work on until it runs out. */
export type Claim = {
  readonly tenantId: string;
  readonly connectionId: string;
  readonly callId: string;
  /** Of this claim alone. */
  readonly id: string;
  /** It gives way to calls that go on. */
  readonly isLate: boolean;
};

export type ClaimRequest = {
  /** Tenants that were nudged; `null` looks at every connection. */
  readonly tenantIds: readonly string[] | null;
  /** How many more rows each busy connection may get; the others get `otherRoom`. */
  readonly room: ReadonlyMap<string, Room>;
  readonly otherRoom: Room;
  /** The same for tenants. */
  readonly tenantRoom: ReadonlyMap<string, number>;
  readonly otherTenantRoom: number;
  readonly limit: number;
};

/** For calls that go on or have just ended, and for what can wait. */
export type Room = { readonly live: number; readonly late: number };

type ConnectionFields = Pick<
  CrmConnection,
  'id' | 'adapter' | 'settings' | 'secretsSealed' | 'rules' | 'status' | 'refusals' | 'usersListedAt' | 'updatedAt'
>;

export type SyncedConnection = ConnectionFields & { readonly tenantId: string };

/** A claimed row as it is now, with all that decides over its next step. */
export type Loaded = Pick<CrmSync, 'wanted' | 'links' | 'priority' | 'attempts' | 'nextAttemptAt'> & {
  readonly connection: SyncedConnection;
  /** Null: it is not kept any more. */
  readonly call: Call | null;
  readonly region: string;
  readonly isCalledBack: boolean;
};

export type SyncLimits = {
  /** How long a claim holds from its last stored step, or renewal: so long a call waits whose process died. */
  readonly claimSeconds: number;
  /** How long a CRM may fail until its calls are given up. */
  readonly giveUpDays: number;
  /** Credentials that are refused so often in a row, over so long, are so for good. */
  readonly refusals: { readonly times: number; readonly seconds: number };
};

export const syncLimits: SyncLimits = {
  claimSeconds: 20,
  giveUpDays: 3,
  refusals: { times: 3, seconds: 60 },
};

/** How long a CRM may take until it finds what was made in it, at most, days. */
const MADE_DAYS = 1;

/** What CRMs have of calls, in PostgreSQL. Only who holds a row's claim changes it. */
export class SyncStore {
  constructor(
    private readonly source: DataSource,
    private readonly audit: AuditLog,
    private readonly limits: SyncLimits,
  ) {}

  /** Tenants whose calls are brought to a CRM. */
  async tenants(): Promise<ReadonlySet<string>> {
    const rows = await runPrepared<{ id: string }>(this.source, { name: 'crm-tenants', text: tenantsSql }, []);
    return new Set(rows.map(({ id }) => id));
  }

  claim({ tenantIds, room, otherRoom, tenantRoom, otherTenantRoom, limit }: ClaimRequest): Promise<readonly Claim[]> {
    return runPrepared<Claim>(this.source, { name: 'crm-claim', text: claimSql }, [
      tenantIds,
      [...room.keys()],
      [...room.values()].map(({ live }) => live),
      [...room.values()].map(({ late }) => late),
      otherRoom.live,
      otherRoom.late,
      [...tenantRoom.keys()],
      [...tenantRoom.values()],
      otherTenantRoom,
      limit,
      this.limits.claimSeconds,
    ]);
  }

  /** Whoever holds these still works on them. */
  async renew(claims: readonly Claim[]): Promise<void> {
    const column = (of: (claim: Claim) => string): readonly string[] => claims.map(of);
    await runPrepared(this.source, { name: 'crm-renew', text: renewSql }, [
      column(({ tenantId }) => tenantId),
      column(({ connectionId }) => connectionId),
      column(({ callId }) => callId),
      column(({ id }) => id),
      this.limits.claimSeconds,
    ]);
  }

  /** Null when the claim is lost: it ran out, or the connection was removed. */
  async load(claim: Claim): Promise<Loaded | null> {
    type Row = ConnectionFields & Omit<Loaded, 'connection'> & { readonly picked: LinkedContact | null };
    const [row] = await runPrepared<Row>(this.source, { name: 'crm-load', text: loadSql }, keyOf(claim));
    if (row === undefined) return null;
    const { wanted, links, priority, attempts, nextAttemptAt, call, region, isCalledBack, picked, ...connection } = row;
    const { tenantId } = claim;
    const of = { ...connection, tenantId };
    return {
      wanted,
      links: withPicked(links, picked),
      priority,
      attempts,
      nextAttemptAt,
      call,
      region,
      isCalledBack,
      connection: of,
    };
  }

  /** Stores what the CRM has, or is about to have. False when the claim is lost: then nothing more is to be done. */
  async keep(claim: Claim, links: Links, isDone: boolean): Promise<boolean> {
    const values = [...keyOf(claim), JSON.stringify(links), this.limits.claimSeconds, isDone];
    return (await runPrepared(this.source, { name: 'crm-keep', text: keepSql }, values)).length > 0;
  }

  /**
   * Stores that something is about to be made of an unknown caller, unless that was, or is being, done for another call of his: a CRM
   * may not find yet what was made a moment ago.
   * @returns what was made, or how it stands; `lost`: the claim is
   */
  beginCreating(
    claim: Claim,
    links: Links,
    kind: CreatedKind,
    e164: string,
  ): Promise<NonNullable<Links['created']> | 'being-made' | 'begun' | 'lost'> {
    const { tenantId, connectionId, callId } = claim;
    return this.source.transaction(async (manager) => {
      await manager.query(lockNumberSql, [connectionId, e164]);
      // An unsorted entry is the call itself.
      const others: { created: Links['created'] | null }[] =
        kind === 'unsorted'
          ? []
          : await manager.query(madeForNumberSql, [tenantId, connectionId, callId, e164, kind, MADE_DAYS]);
      const [other] = others;
      if (other !== undefined) return other.created ?? 'being-made';
      const begun = JSON.stringify({ ...links, begun: 'createObject' });
      const values = [...keyOf(claim), begun, this.limits.claimSeconds, false];
      const kept: unknown[] = await manager.query(`with kept as (${keepSql}) select * from kept`, values);
      return kept.length > 0 ? 'begun' : 'lost';
    });
  }

  /** The CRM has all of this version. @returns whether there is more to do meanwhile */
  async finish(claim: Claim, version: number, dueAt: Date): Promise<boolean> {
    return this.#isDue({ name: 'crm-finish', text: finishSql }, [...keyOf(claim), version, dueAt]);
  }

  /**
   * @param links null: as they are
   * @returns whether it is tried again: a failure that lasts for days is given up
   */
  async later(
    claim: Claim,
    links: Links | null,
    { ms, isFailure, step, why }: { ms: number; isFailure: boolean; step: string; why: string },
  ): Promise<boolean> {
    const stored = links === null ? null : JSON.stringify(links);
    const values = [...keyOf(claim), ms, isFailure, step, why, stored, this.limits.giveUpDays];
    return this.#isDue({ name: 'crm-later', text: laterSql }, values);
  }

  /** @returns whether it is tried again at once, because the call has changed meanwhile */
  async fail(claim: Claim, links: Links, step: string, why: string, version: number): Promise<boolean> {
    const values = [...keyOf(claim), step, why, JSON.stringify(links), version];
    return this.#isDue({ name: 'crm-fail', text: failSql }, values);
  }

  /** As if it had never been claimed. */
  async giveBack(claim: Claim): Promise<void> {
    await this.source.query(giveBackSql, keyOf(claim));
  }

  async forget(claim: Claim): Promise<void> {
    await this.source.query(forgetSql, keyOf(claim));
  }

  /** Somebody talks with a number: tasks to call it back are looked at again. @returns whether there are any */
  async wakeTasks({ tenantId, connectionId }: Claim, e164: string, startedAt: string): Promise<boolean> {
    const values = [tenantId, connectionId, e164, startedAt];
    return (await runPrepared(this.source, { name: 'crm-wake-tasks', text: wakeTasksSql }, values)).length > 0;
  }

  /** The CRM takes the credentials. */
  async accepted({ tenantId, id }: SyncedConnection): Promise<void> {
    await this.source.query(acceptedSql, [tenantId, id]);
  }

  /** The CRM refuses the credentials. @returns whether the connection was disabled for it */
  async refused({ tenantId, id, adapter }: SyncedConnection, why: string): Promise<boolean> {
    const { times, seconds } = this.limits.refusals;
    const counted: { isOver: boolean }[] = await this.source.query(refusedSql, [tenantId, id, times, seconds]);
    if (counted[0]?.isOver !== true) return false;
    return this.source.transaction(async (manager) => {
      const reason = `The CRM refuses its credentials: ${why}`;
      const disabled: unknown[] = await manager.query(disableSql, [tenantId, id, reason]);
      if (disabled.length === 0) return false;
      await this.audit.record(manager, {
        tenantId,
        actorKeyId: null,
        action: 'crm-connection.disabled',
        targetType: 'crm-connection',
        targetId: id,
        detail: { adapter, reason },
      });
      return true;
    });
  }

  async #isDue(statement: { name: string; text: string }, values: readonly unknown[]): Promise<boolean> {
    const [row] = await runPrepared<{ state: string }>(this.source, statement, values);
    return row?.state === 'due';
  }
}

function withPicked(links: Links, picked: LinkedContact | null): Links {
  const { picked: _, ...others } = links;
  return picked === null ? others : { ...others, picked };
}

function keyOf({ tenantId, connectionId, callId, id }: Claim): unknown[] {
  return [tenantId, connectionId, callId, id];
}

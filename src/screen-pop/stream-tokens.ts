import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { newId } from '../common/ids.js';
import { Problem } from '../common/problems.js';
import { Database } from '../database/database.js';
import { AuditLog } from '../tenancy/audit-log.js';
import { StreamLimits } from './stream-limits.js';

/** What a stream token allows: one agent's stream, from one origin. */
export type Grant = {
  readonly tokenId: string;
  readonly tenantId: string;
  readonly agentId: string;
  /** Null: any origin that CORS lets in. */
  readonly origin: string | null;
  /** Until when the token can be used to connect, ms. An open stream outlives it. */
  readonly expiresAtMs: number;
};

export type RenewedToken = { readonly grant: Grant; readonly token: string };

export type IssuedToken = { readonly token: string; readonly expiresAt: string };

type GrantRow = { id: string; tenant_id: string; agent_id: string; origin: string | null; expires_at: Date };

/** 256 random bits; the prefix lets scanners for leaked secrets name what they found. */
const tokenPattern = /^rls_[A-Za-z0-9_-]{43}$/;
const newToken = (): string => `rls_${randomBytes(32).toString('base64url')}`;
const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** A row that is revoked, or whose API key is gone or revoked, allows nothing. */
const standing = `t.revoked_at is null
  and (t.api_key_id is null or exists (select 1 from api_key k where k.id = t.api_key_id and k.revoked_at is null))`;

/** Stream tokens in PostgreSQL. The tokens themselves are shown once and stored as SHA-256. */
@Injectable()
export class StreamTokens {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly limits: StreamLimits,
    private readonly audit: AuditLog,
  ) {}

  /** @throws {Problem} `not-found` when the tenant has no such agent. */
  async issue(by: {
    readonly tenantId: string;
    readonly apiKeyId: string;
    readonly agentId: string;
    readonly origin: string | null;
  }): Promise<IssuedToken> {
    const token = newToken();
    const expiresAt = new Date(this.clock.now() + this.limits.tokenLifeMs);
    const rows: unknown[] = await this.database.source.query(
      `insert into stream_token (tenant_id, id, agent_id, api_key_id, token_hash, origin, expires_at)
       select a.tenant_id, $3, a.id, $4, $5, $6, $7 from agent a where a.tenant_id = $1 and a.id = $2
       returning id`,
      [by.tenantId, by.agentId, newId(), by.apiKeyId, hashOf(token), by.origin, expiresAt],
    );
    if (rows.length === 0) throw unknownAgent();
    return { token, expiresAt: expiresAt.toISOString() };
  }

  /** @throws {Problem} `token-invalid` when it is unknown, expired or revoked. */
  async verify(token: string): Promise<Grant> {
    const rows: GrantRow[] = tokenPattern.test(token)
      ? await this.database.source.query(
          `select t.id, t.tenant_id, t.agent_id, t.origin, t.expires_at from stream_token t
           where t.token_hash = $1 and ${standing}`,
          [hashOf(token)],
        )
      : [];
    const grant = rows[0] && grantOf(rows[0]);
    if (grant === undefined) {
      throw new Problem('token-invalid', { detail: 'The stream token is unknown or was revoked.', field: 'token' });
    }
    if (grant.expiresAtMs <= this.clock.now()) {
      const expired = new Date(grant.expiresAtMs).toISOString();
      throw new Problem('token-invalid', { detail: `The stream token expired at ${expired}.`, field: 'token' });
    }
    return grant;
  }

  /** Which of these tokens still stand, whether expired or not. */
  async standing(grants: readonly Grant[]): Promise<ReadonlySet<string>> {
    const rows: { id: string }[] = await this.database.source.query(
      `select t.id from unnest($1::uuid[], $2::uuid[]) as o (tenant_id, id)
       join stream_token t on t.tenant_id = o.tenant_id and t.id = o.id where ${standing}`,
      [grants.map(({ tenantId }) => tenantId), grants.map(({ tokenId }) => tokenId)],
    );
    return new Set(rows.map(({ id }) => id));
  }

  /** A fresh token for each of these, in their order; null where the old one does not stand. */
  async renew(grants: readonly Grant[]): Promise<readonly (RenewedToken | null)[]> {
    const expiresAt = new Date(this.clock.now() + this.limits.tokenLifeMs);
    const fresh = grants.map(({ tenantId, tokenId }) => ({ tenantId, oldId: tokenId, id: newId(), token: newToken() }));
    const rows: GrantRow[] = await this.database.source.transaction(async (transaction) => {
      // Before the tokens are read: `revoke` takes the agent's row first too, so no fresh token slips past it.
      await transaction.query(
        `select 1 from agent where id = any($1) and tenant_id = any($2) order by tenant_id, id for key share`,
        [grants.map(({ agentId }) => agentId), grants.map(({ tenantId }) => tenantId)],
      );
      return transaction.query(
        `insert into stream_token (tenant_id, id, agent_id, api_key_id, token_hash, origin, expires_at)
         select t.tenant_id, f.id, t.agent_id, t.api_key_id, f.hash, t.origin, $4
         from unnest($1::uuid[], $2::uuid[], $3::bytea[], $5::uuid[]) as f (old_id, id, hash, tenant_id)
         join stream_token t on t.tenant_id = f.tenant_id and t.id = f.old_id where ${standing}
         returning id, tenant_id, agent_id, origin, expires_at`,
        [
          fresh.map(({ oldId }) => oldId),
          fresh.map(({ id }) => id),
          fresh.map(({ token }) => hashOf(token)),
          expiresAt,
          fresh.map(({ tenantId }) => tenantId),
        ],
      );
    });
    const byId = new Map(rows.map((row) => [row.id, grantOf(row)]));
    return fresh.map(({ id, token }) => {
      const grant = byId.get(id);
      return grant === undefined ? null : { grant, token };
    });
  }

  /**
   * Revokes every token of an agent.
   * @throws {Problem} `not-found` when the tenant has no such agent.
   */
  async revoke(by: { readonly tenantId: string; readonly apiKeyId: string; readonly agentId: string }): Promise<void> {
    const { tenantId, apiKeyId, agentId } = by;
    const now = new Date(this.clock.now());
    await this.database.source.transaction(async (transaction) => {
      const agents: unknown[] = await transaction.query(
        `select 1 from agent where tenant_id = $1 and id = $2 for update`,
        [tenantId, agentId],
      );
      if (agents.length === 0) throw unknownAgent();
      await transaction.query(
        `update stream_token set revoked_at = $3 where tenant_id = $1 and agent_id = $2 and revoked_at is null`,
        [tenantId, agentId, now],
      );
      await this.audit.record(transaction, {
        tenantId,
        actorKeyId: apiKeyId,
        action: 'stream-tokens.revoked',
        targetType: 'agent',
        targetId: agentId,
      });
    });
  }

  /** Removes tokens that expired at least an hour ago. Open streams hold younger ones. */
  async purge(): Promise<void> {
    await this.database.source.query(`delete from stream_token where expires_at < $1`, [
      new Date(this.clock.now() - 3_600_000),
    ]);
  }
}

function grantOf(row: GrantRow): Grant {
  return {
    tokenId: row.id,
    tenantId: row.tenant_id,
    agentId: row.agent_id,
    origin: row.origin,
    expiresAtMs: row.expires_at.getTime(),
  };
}

function unknownAgent(): Problem {
  return new Problem('not-found', { detail: 'There is no agent with this id.', field: 'agentId' });
}

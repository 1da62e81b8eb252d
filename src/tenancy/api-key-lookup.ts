import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Database } from '../database/database.js';
import { ApiKey } from './api-key.entity.js';
import { hashOfKey } from './key-secret.js';
import type { Scope } from './scopes.js';
import { Tenant } from './tenant.entity.js';

export type KnownKey = {
  readonly id: string;
  readonly tenantId: string | null;
  readonly pbxNodeId: string | null;
  readonly scopes: readonly Scope[];
};

/** A revoked key has to be refused everywhere within 5 s; other processes learn of it when this has passed. */
const REMEMBERED_MS = 3_000;
/** More keys than any installation uses in 3 s, few enough for memory. */
const MOST_REMEMBERED = 5_000;

/** Finds API keys by their secret and remembers them for a moment, so that a busy client costs no query a request. */
@Injectable()
export class ApiKeyLookup {
  readonly #keys = new Map<string, { readonly until: number; readonly key: KnownKey }>();
  readonly #tenants = new Map<string, number>();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** @returns null for a key that is unknown or revoked. Those are not remembered: a flood of them would drive good ones out. */
  async find(secret: string): Promise<KnownKey | null> {
    const hash = hashOfKey(secret);
    const name = hash.toString('base64');
    const remembered = this.#keys.get(name);
    if (remembered && remembered.until > this.clock.now()) return remembered.key;
    const asked = this.clock.now();
    const row = await this.database.source.manager
      .createQueryBuilder(ApiKey, 'key')
      .where('key.secret_hash = :hash and key.revoked_at is null', { hash })
      .getOne();
    if (!row) {
      this.#keys.delete(name);
      return null;
    }
    const key = { id: row.id, tenantId: row.tenantId, pbxNodeId: row.pbxNodeId, scopes: row.scopes };
    if (this.#keys.size >= MOST_REMEMBERED) this.#keys.clear();
    this.#keys.set(name, { until: asked + REMEMBERED_MS, key });
    return key;
  }

  async tenantExists(id: string): Promise<boolean> {
    const until = this.#tenants.get(id) ?? 0;
    if (until > this.clock.now()) return true;
    const asked = this.clock.now();
    const exists = await this.database.source.manager.existsBy(Tenant, { id });
    if (this.#tenants.size >= MOST_REMEMBERED) this.#tenants.clear();
    if (exists) this.#tenants.set(id, asked + REMEMBERED_MS);
    else this.#tenants.delete(id);
    return exists;
  }

  /** After a change of keys or tenants in this process, which then bites at once. */
  forgetAll(): void {
    this.#keys.clear();
    this.#tenants.clear();
  }
}

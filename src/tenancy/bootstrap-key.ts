import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { newId } from '../common/ids.js';
import { Log } from '../common/logger.js';
import { readFileIfThere, readOrCreateFile } from '../common/private-file.js';
import { Problem } from '../common/problems.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { ApiKey } from './api-key.entity.js';
import { AuditLog } from './audit-log.js';
import { hashOfKey, newKeySecret } from './key-secret.js';

/** Any constant that no other user of the database takes. */
const BOOTSTRAP_LOCK = 7_242_002;
const RETRY_MS = 1_000;

/**
 * The first platform key, without which nobody could make another: from `BOOTSTRAP_API_KEY`, else from
 * `DATA_DIR/bootstrap-key`, else made there when the database has no platform key. Of several processes that start
 * together one makes it. A key that was revoked stays revoked.
 */
@Injectable()
export class BootstrapKey implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #path: string;
  readonly #stopping = new AbortController();
  #done = false;

  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly log: Log,
  ) {
    this.#path = join(config.dataDir, 'bootstrap-key');
    if (config.production && config.bootstrapApiKey === undefined && readFileIfThere(this.#path) === undefined) {
      throw new Error(
        `No first API key: set BOOTSTRAP_API_KEY (at least 32 characters; \`openssl rand -hex 32\` makes one), or put one into ${this.#path}.`,
      );
    }
  }

  onApplicationBootstrap(): void {
    void this.#install();
  }

  beforeApplicationShutdown(): void {
    this.#stopping.abort();
  }

  /** @throws {Problem} `database-unavailable` while it is not known yet whether the first key is stored. */
  assertDone(): void {
    if (this.#done) return;
    throw new Problem('database-unavailable', { detail: 'Ringline is still starting.', retryAfterSeconds: 1 });
  }

  async #install(): Promise<void> {
    await this.database.ready;
    while (!this.#stopping.signal.aborted) {
      try {
        await this.database.source.transaction((manager) => this.#installIn(manager));
        this.#done = true;
        return;
      } catch (error) {
        this.log.error({ scope: 'tenancy', error }, 'the first API key could not be stored; trying again');
        await sleep(RETRY_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      }
    }
  }

  async #installIn(manager: EntityManager): Promise<void> {
    await manager.query('select pg_advisory_xact_lock($1)', [BOOTSTRAP_LOCK]);
    const given = this.config.bootstrapApiKey ?? readFileIfThere(this.#path);
    if (given !== undefined) {
      await this.#store(manager, given);
    } else if (!(await hasPlatformKey(manager))) {
      await this.#store(manager, readOrCreateFile(this.#path, newKeySecret));
      this.log.info({ scope: 'tenancy', path: this.#path }, 'made the first platform API key');
    }
  }

  async #store(manager: EntityManager, secret: string): Promise<void> {
    const id = newId();
    const { raw } = await manager
      .createQueryBuilder()
      .insert()
      .into(ApiKey)
      .values({
        id,
        tenantId: null,
        pbxNodeId: null,
        name: 'bootstrap',
        scopes: ['platform'],
        secretHash: hashOfKey(secret),
        revokedAt: null,
      })
      .orIgnore()
      .returning('id')
      .execute();
    if ((raw as readonly unknown[]).length === 0) return;
    await this.audit.record(manager, {
      tenantId: null,
      actorKeyId: null,
      action: 'api-key.created',
      targetType: 'api-key',
      targetId: id,
      detail: { name: 'bootstrap' },
    });
  }
}

async function hasPlatformKey(manager: EntityManager): Promise<boolean> {
  return manager
    .createQueryBuilder(ApiKey, 'key')
    .where(`'platform' = any(key.scopes) and key.revoked_at is null`)
    .getExists();
}

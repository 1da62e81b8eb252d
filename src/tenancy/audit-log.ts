import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../common/clock.js';
import { newId } from '../common/ids.js';
import { AuditEntry } from './audit-entry.entity.js';

export type AuditedAct = {
  /** Null for what belongs to the installation. */
  readonly tenantId: string | null;
  /** Null for Ringline itself. */
  readonly actorKeyId: string | null;
  /** Dotted, past tense: `line.updated`, `webhook-endpoint.secret-rotated`. */
  readonly action: string;
  readonly targetType: string;
  readonly targetId: string;
  /** Never a secret, and no phone number in full. */
  readonly detail?: Readonly<Record<string, unknown>>;
};

/** Who did what. Written in the transaction of the deed, so that neither is there without the other. */
@Injectable()
export class AuditLog {
  constructor(private readonly clock: Clock) {}

  async record(manager: EntityManager, act: AuditedAct): Promise<void> {
    await manager.insert(AuditEntry, {
      ...act,
      detail: { ...act.detail } as object,
      id: newId(),
      at: new Date(this.clock.now()),
    });
  }
}

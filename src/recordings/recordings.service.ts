import { Injectable } from '@nestjs/common';
import { CallLedger } from '../calls/ledger/call-ledger.js';
import { Clock } from '../common/clock.js';
import { Problem } from '../common/problems.js';
import { Database } from '../database/database.js';
import type { Actor } from '../tenancy/actor.js';
import { AuditLog } from '../tenancy/audit-log.js';
import type { Media } from './media-answer.js';
import type { RecordingRowState } from './recording.entity.js';
import { RecordingStorage } from './recording-storage.js';

export type RecordingRow = {
  readonly tenantId: string;
  readonly id: string;
  readonly callId: string;
  readonly plannedAt: Date;
  readonly state: RecordingRowState;
  readonly failure: string | null;
  readonly digest: Buffer | null;
};

/** Who gets to hear a recording: an API key, or a link and the key that made it. */
export type Listener = {
  readonly keyId: string | null;
  readonly via: 'api' | 'play' | 'crm';
  readonly linkId?: string;
};

/** Recordings as listeners and erasers know them. Everything is read and done for one tenant. */
@Injectable()
export class RecordingsService {
  constructor(
    private readonly database: Database,
    private readonly storage: RecordingStorage,
    private readonly ledger: CallLedger,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** @throws {Problem} `not-found` when the tenant's call has no such recording. */
  async find({ tenantId }: Pick<Actor, 'tenantId'>, callId: string, id: string): Promise<RecordingRow> {
    const row = await this.read(tenantId, id);
    if (row?.callId !== callId) throw notFound();
    return row;
  }

  async read(tenantId: string, id: string): Promise<RecordingRow | null> {
    const [row]: RecordingRow[] = await this.database.source.query(
      `select tenant_id as "tenantId", id, call_id as "callId", planned_at as "plannedAt", state, failure, digest
       from recording where tenant_id = $1 and id = $2`,
      [tenantId, id],
    );
    return row ?? null;
  }

  /** @throws {Problem} `recording-unavailable` when there is nothing to hear, with the reason. */
  async open(row: RecordingRow): Promise<Media> {
    const { id, digest } = row;
    const reason = whyUnavailable(row);
    if (reason !== null || digest === null) {
      throw new Problem('recording-unavailable', { detail: reason ?? 'The recording is not whole.' });
    }
    const file = await this.storage.open(row);
    if (file === null) {
      throw new Problem('recording-unavailable', { detail: 'The file is missing from Ringline’s storage.' });
    }
    return { id, digest, file };
  }

  /** Writes down who hears which bytes. */
  async recordAccess({ tenantId, id }: RecordingRow, { keyId, via, linkId }: Listener, bytes: string): Promise<void> {
    await this.audit.record(this.database.source.manager, {
      tenantId,
      actorKeyId: keyId,
      action: 'recording.heard',
      targetType: 'recording',
      targetId: id,
      detail: { via, bytes, ...(linkId !== undefined && { linkId }) },
    });
  }

  /**
   * Erases the file, what is known of it, and its links; the call's record says `erased`. What lies in the PBX follows as
   * soon as that can be reached.
   * @throws {Problem} `recording-conflict` while it is being made.
   */
  async erase(actor: Actor, callId: string, id: string): Promise<void> {
    const { tenantId, keyId } = actor;
    const row = await this.find(actor, callId, id);
    await this.database.source.transaction(async (manager) => {
      const [locked]: { state: RecordingRowState }[] = await manager.query(
        'select state from recording where tenant_id = $1 and id = $2 for update',
        [tenantId, id],
      );
      if (locked === undefined) throw notFound();
      if (locked.state === 'recording') {
        throw new Problem('recording-conflict', { detail: 'The recording is being made; stop it first.' });
      }
      if (locked.state === 'erasing' || locked.state === 'erased') return;
      await manager.query(
        `update recording set state = 'erasing', attempts = 0, next_attempt_at = now(), claimed_by = null, claim_until = null,
           failure = null, bytes = null, duration_ms = null, told_seconds = null, digest = null
         where tenant_id = $1 and id = $2`,
        [tenantId, id],
      );
      await manager.query('delete from recording_link where tenant_id = $1 and recording_id = $2', [tenantId, id]);
      await this.audit.record(manager, {
        tenantId,
        actorKeyId: keyId,
        action: 'recording.erased',
        targetType: 'recording',
        targetId: id,
      });
    });
    await this.storage.remove(row);
    const call = await this.ledger.find(callId);
    if (call === null) return;
    this.ledger.tellOf(call, [
      { kind: 'recording-erased', key: id, at: this.clock.now(), source: 'ringline', data: {} },
    ]);
    await this.ledger.settled();
  }
}

function notFound(): Problem {
  return new Problem('not-found', { detail: 'There is no such recording.' });
}

function whyUnavailable({ state, failure }: RecordingRow): string | null {
  switch (state) {
    case 'recording':
      return 'The recording is being made.';
    case 'finished':
    case 'fetching':
      return `The recording is on its way from the PBX.${failure === null ? '' : ` ${failure}`}`;
    case 'failed':
      return failure ?? 'The recording failed.';
    case 'erasing':
    case 'erased':
      return 'The recording was erased.';
    case 'stored':
    case 'removed':
      return null;
  }
}

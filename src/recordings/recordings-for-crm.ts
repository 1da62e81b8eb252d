import { createHash } from 'node:crypto';
import type { AuditLog } from '../tenancy/audit-log.js';
import type { SecretBox } from '../common/secret-box.js';
import { newId } from '../common/ids.js';
import type { Database } from '../database/database.js';
import type { RecordingStorage } from './recording-storage.js';

/** A recording that is to be heard from one CRM. */
export type RecordingForCrm = {
  readonly tenantId: string;
  readonly recordingId: string;
  readonly connectionId: string;
};

const PURPOSE = 'recording-crm-link';

/**
 * Recordings for a CRM, which a worker gives it and no API key. The token of such a link is derived, so that nothing that opens
 * it is stored, and whoever gives it again, after a lost answer, gives the same.
 */
export class RecordingsForCrm {
  constructor(
    private readonly database: Database,
    private readonly storage: Pick<RecordingStorage, 'open'>,
    private readonly secrets: SecretBox,
    private readonly audit: AuditLog,
    private readonly publicUrl: string,
  ) {}

  /** Makes the link, where it is not there, and writes that down. */
  async link(recording: RecordingForCrm): Promise<string> {
    const { tenantId, recordingId, connectionId } = recording;
    const token = this.#tokenOf(recording);
    const id = newId();
    await this.database.source.transaction(async (manager) => {
      const made: unknown[] = await manager.query(
        `insert into recording_link (tenant_id, id, recording_id, token_hash, made_by) values ($1, $2, $3, $4, null)
         on conflict (token_hash) do nothing returning 1`,
        [tenantId, id, recordingId, hashOf(token)],
      );
      if (made.length === 0) return;
      await this.audit.record(manager, {
        tenantId,
        actorKeyId: null,
        action: 'recording.link-created',
        targetType: 'recording',
        targetId: recordingId,
        detail: { purpose: 'crm', linkId: id, connectionId },
      });
    });
    return this.#urlOf(token);
  }

  /** The link that was made; null when it was revoked, or went with its recording. */
  async findLink(recording: RecordingForCrm): Promise<string | null> {
    const token = this.#tokenOf(recording);
    const found: unknown[] = await this.database.source.query(
      'select 1 from recording_link where tenant_id = $1 and token_hash = $2',
      [recording.tenantId, hashOf(token)],
    );
    return found.length === 0 ? null : this.#urlOf(token);
  }

  /** All of it; null when there is nothing to hear. Giving it away is written down as hearing it is. */
  async read({ tenantId, recordingId, connectionId }: RecordingForCrm): Promise<Uint8Array | null> {
    const [row]: { plannedAt: Date }[] = await this.database.source.query(
      `select planned_at as "plannedAt" from recording where tenant_id = $1 and id = $2 and state in ('stored', 'removed')`,
      [tenantId, recordingId],
    );
    if (row === undefined) return null;
    const file = await this.storage.open({ tenantId, id: recordingId, plannedAt: row.plannedAt });
    if (file === null) return null;
    await this.audit.record(this.database.source.manager, {
      tenantId,
      actorKeyId: null,
      action: 'recording.heard',
      targetType: 'recording',
      targetId: recordingId,
      detail: { via: 'crm-upload', connectionId },
    });
    const chunks: Buffer[] = [];
    for await (const chunk of file.read()) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }

  #tokenOf({ tenantId, recordingId, connectionId }: RecordingForCrm): string {
    return `rlc_${this.secrets.sign(`${tenantId}/${recordingId}/${connectionId}`, PURPOSE).toString('base64url')}`;
  }

  #urlOf(token: string): string {
    return `${this.publicUrl}/v1/recording-links/${token}`;
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

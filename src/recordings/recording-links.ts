import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { newId } from '../common/ids.js';
import { Problem } from '../common/problems.js';
import { SecretBox } from '../common/secret-box.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import type { Actor } from '../tenancy/actor.js';
import { AuditLog } from '../tenancy/audit-log.js';
import { readPlayToken, signPlayToken } from './play-token.js';
import type { CreateRecordingLink, RecordingLinkView, StandingLinks } from './recordings.schema.js';
import { RecordingsService, type Listener, type RecordingRow } from './recordings.service.js';

/** 256 random bits; the prefix lets scanners for leaked secrets name what they found. */
const crmToken = /^rlc_[A-Za-z0-9_-]{43}$/;
const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** Links by which a recording is heard without an API key. */
@Injectable()
export class RecordingLinks {
  constructor(
    private readonly database: Database,
    private readonly recordings: RecordingsService,
    private readonly secrets: SecretBox,
    private readonly audit: AuditLog,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  async create(
    actor: Actor,
    callId: string,
    recordingId: string,
    wanted: CreateRecordingLink,
  ): Promise<RecordingLinkView> {
    const recording = await this.recordings.find(actor, callId, recordingId);
    // A link to what will never be heard would only be found out by whoever opens it.
    if (recording.state === 'failed' || recording.state === 'erasing' || recording.state === 'erased') {
      throw new Problem('recording-unavailable', {
        detail:
          recording.state === 'failed' ? (recording.failure ?? 'The recording failed.') : 'The recording was erased.',
      });
    }
    return wanted.purpose === 'play'
      ? this.#createPlay(actor, recordingId, wanted.expiresInSeconds)
      : this.#createCrm(actor, recordingId);
  }

  async list(actor: Actor, callId: string, recordingId: string): Promise<StandingLinks> {
    await this.recordings.find(actor, callId, recordingId);
    const rows: { id: string; created_at: Date }[] = await this.database.source.query(
      'select id, created_at from recording_link where tenant_id = $1 and recording_id = $2 order by id',
      [actor.tenantId, recordingId],
    );
    return { items: rows.map(({ id, created_at: at }) => ({ id, createdAt: at.toISOString() })) };
  }

  async revoke(actor: Actor, callId: string, recordingId: string, linkId: string): Promise<void> {
    await this.recordings.find(actor, callId, recordingId);
    await this.database.source.transaction(async (manager) => {
      const gone: unknown[] = await manager.query(
        `with gone as (delete from recording_link where tenant_id = $1 and recording_id = $2 and id = $3 returning 1)
         select * from gone`,
        [actor.tenantId, recordingId, linkId],
      );
      if (gone.length === 0) throw new Problem('not-found', { detail: 'There is no such link.' });
      await this.audit.record(manager, actOn(actor, 'recording.link-revoked', recordingId, { linkId }));
    });
  }

  /** @throws {Problem} `link-invalid` for a token that was never given out, has expired, or was revoked. */
  async open(token: string): Promise<{ readonly recording: RecordingRow; readonly listener: Listener }> {
    const opened = token.startsWith('rlp_') ? await this.#openPlay(token) : await this.#openCrm(token);
    if (opened === null) throw new Problem('link-invalid', { detail: 'This link is unknown, or was revoked.' });
    return opened;
  }

  async #createPlay(actor: Actor, recordingId: string, expiresInSeconds: number): Promise<RecordingLinkView> {
    const { tenantId, keyId } = actor;
    const expiresAt = this.clock.now() + expiresInSeconds * 1000;
    const token = signPlayToken(this.secrets, { tenantId, recordingId, keyId, expiresAt });
    const detail = { purpose: 'play', expiresInSeconds };
    await this.audit.record(this.database.source.manager, actOn(actor, 'recording.link-created', recordingId, detail));
    return { id: null, purpose: 'play', url: this.#urlOf(token), expiresAt: new Date(expiresAt).toISOString() };
  }

  async #createCrm(actor: Actor, recordingId: string): Promise<RecordingLinkView> {
    const token = `rlc_${randomBytes(32).toString('base64url')}`;
    const id = newId();
    await this.database.source.transaction(async (manager) => {
      await manager.query(
        'insert into recording_link (tenant_id, id, recording_id, token_hash, made_by) values ($1, $2, $3, $4, $5)',
        [actor.tenantId, id, recordingId, hashOf(token), actor.keyId],
      );
      const detail = { purpose: 'crm', linkId: id };
      await this.audit.record(manager, actOn(actor, 'recording.link-created', recordingId, detail));
    });
    return { id, purpose: 'crm', url: this.#urlOf(token), expiresAt: null };
  }

  async #openPlay(token: string): Promise<{ recording: RecordingRow; listener: Listener } | null> {
    const grant = readPlayToken(this.secrets, token);
    if (grant === null) return null;
    if (grant.expiresAt <= this.clock.now()) {
      const expired = new Date(grant.expiresAt).toISOString();
      throw new Problem('link-invalid', { detail: `This link expired at ${expired}.` });
    }
    const keys: unknown[] = await this.database.source.query(
      'select 1 from api_key where id = $1 and revoked_at is null',
      [grant.keyId],
    );
    const recording = keys.length === 0 ? null : await this.recordings.read(grant.tenantId, grant.recordingId);
    return recording && { recording, listener: { keyId: grant.keyId, via: 'play' } };
  }

  async #openCrm(token: string): Promise<{ recording: RecordingRow; listener: Listener } | null> {
    const rows: { tenant_id: string; id: string; recording_id: string; made_by: string | null }[] = crmToken.test(token)
      ? await this.database.source.query(
          'select tenant_id, id, recording_id, made_by from recording_link where token_hash = $1',
          [hashOf(token)],
        )
      : [];
    const [link] = rows;
    const recording = link === undefined ? null : await this.recordings.read(link.tenant_id, link.recording_id);
    if (link === undefined || recording === null) return null;
    return { recording, listener: { keyId: link.made_by, via: 'crm', linkId: link.id } };
  }

  #urlOf(token: string): string {
    return `${this.config.http.publicUrl}/v1/recording-links/${token}`;
  }
}

function actOn(actor: Actor, action: string, recordingId: string, detail: Readonly<Record<string, unknown>>) {
  const { tenantId, keyId } = actor;
  return { tenantId, actorKeyId: keyId, action, targetType: 'recording', targetId: recordingId, detail };
}

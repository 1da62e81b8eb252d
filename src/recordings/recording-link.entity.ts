import { Column, CreateDateColumn, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { Recording } from './recording.entity.js';

/** A link that lives as long as its recording, for a CRM's call record. Revoking it deletes the row. */
@Entity()
@Index('recording_link_token', ['tokenHash'], { unique: true })
@Index('recording_link_recording', ['tenantId', 'recordingId'])
export class RecordingLink {
  @PrimaryColumn('uuid')
  tenantId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  recordingId!: string;

  @ManyToOne(() => Recording, { onDelete: 'CASCADE' })
  @JoinColumn([
    { name: 'tenant_id', referencedColumnName: 'tenantId', foreignKeyConstraintName: 'recording_link_of' },
    { name: 'recording_id', referencedColumnName: 'id', foreignKeyConstraintName: 'recording_link_of' },
  ])
  recording?: Recording;

  /** SHA-256 of the token, which was shown once. */
  @Column('bytea')
  tokenHash!: Buffer;

  /** The API key that asked for it; null for Ringline itself. */
  @Column('uuid', { nullable: true })
  madeBy!: string | null;

  @CreateDateColumn({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;
}

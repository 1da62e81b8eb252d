import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { CallRow } from '../calls/ledger/call.entity.js';

/**
 * `recording`: being made in the switch, or about to. `finished`: over there. `fetching`: on its way to our storage.
 * `stored`: in our storage, and still in the switch. `removed`: in our storage alone. `failed`: there is nothing to hear.
 * `erasing`, `erased`: somebody had it erased.
 */
export type RecordingRowState =
  'recording' | 'finished' | 'fetching' | 'stored' | 'removed' | 'failed' | 'erasing' | 'erased';

/** A recording on its way from the switch to our storage. Written by the ledger, moved on by the take-over. */
@Entity()
@Index('recording_due', ['nextAttemptAt'], {
  where: `"state" in ('recording', 'finished', 'fetching', 'stored', 'erasing')`,
})
@Index('recording_call', ['tenantId', 'callId'])
export class Recording {
  @PrimaryColumn('uuid')
  tenantId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  callId!: string;

  @ManyToOne(() => CallRow, { onDelete: 'CASCADE' })
  @JoinColumn([
    { name: 'tenant_id', referencedColumnName: 'tenantId', foreignKeyConstraintName: 'recording_of_call' },
    { name: 'call_id', referencedColumnName: 'id', foreignKeyConstraintName: 'recording_of_call' },
  ])
  call?: CallRow;

  @Column('uuid')
  pbxNodeId!: string;

  /** Year and month of it are part of the file's path. */
  @Column({ type: 'timestamptz', precision: 3 })
  plannedAt!: Date;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  finishedAt!: Date | null;

  /** Length as the switch told it, whole seconds; null when it did not tell. */
  @Column('integer', { nullable: true })
  toldSeconds!: number | null;

  @Column('text')
  state!: RecordingRowState;

  /** Tries of the present step that count: a switch that is away does not. */
  @Column('integer', { default: 0 })
  attempts!: number;

  @Column({ type: 'timestamptz', precision: 3 })
  nextAttemptAt!: Date;

  /** Which claim has it, until `claimUntil`: new for each claim. */
  @Column('uuid', { nullable: true })
  claimedBy!: string | null;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  claimUntil!: Date | null;

  /** Why there is nothing to hear, or why it has not been taken over yet. */
  @Column('text', { nullable: true })
  failure!: string | null;

  /** Of the stored file. */
  @Column('integer', { nullable: true })
  bytes!: number | null;

  @Column('integer', { nullable: true })
  durationMs!: number | null;

  /** SHA-256 of the stored file. */
  @Column('bytea', { nullable: true })
  digest!: Buffer | null;
}

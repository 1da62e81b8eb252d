import {
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  UpdateDateColumn,
} from 'typeorm';
import { CrmConnection } from '../connections/crm-connection.entity.js';
import type { Links } from './links.js';

/** What of one call one CRM has. Due whenever the call is newer than that. */
@Entity()
@Index('crm_sync_due', ['connectionId', 'priority', 'nextAttemptAt'], { where: `"state" = 'due'` })
@Index('crm_sync_call', ['tenantId', 'callId'])
@Index('crm_sync_failed', ['tenantId', 'connectionId', 'callId'], { where: `"state" = 'failed'` })
@Index('crm_sync_open_task', ['tenantId', 'connectionId'], { where: `("links"->'task'->>'isClosed') = 'false'` })
export class CrmSync {
  @PrimaryColumn('uuid')
  tenantId!: string;

  @PrimaryColumn('uuid')
  connectionId!: string;

  @PrimaryColumn('uuid')
  callId!: string;

  @ManyToOne(() => CrmConnection, { onDelete: 'CASCADE' })
  @JoinColumn([
    { name: 'tenant_id', referencedColumnName: 'tenantId', foreignKeyConstraintName: 'crm_sync_connection' },
    { name: 'connection_id', referencedColumnName: 'id', foreignKeyConstraintName: 'crm_sync_connection' },
  ])
  connection?: CrmConnection;

  /** `failed`: the CRM refuses it, and nothing more is tried until the call changes or somebody asks. */
  @Column('text')
  state!: 'due' | 'done' | 'failed';

  /** Version of the call that the CRM should have, and the one that it has. */
  @Column('integer')
  wanted!: number;

  @Column('integer', { default: 0 })
  has!: number;

  @Column('jsonb', { default: {} })
  links!: Links;

  /** 0 goes first: a pop, a call to be opened, to be closed, a recording, what is caught up on. */
  @Column('smallint')
  priority!: number;

  /** Failures in a row. */
  @Column('integer', { default: 0 })
  attempts!: number;

  /** When the first of them was. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  failingSince!: Date | null;

  @Column({ type: 'timestamptz', precision: 3 })
  nextAttemptAt!: Date;

  /** Which claim has it, until `claimUntil`: new for each claim. */
  @Column('uuid', { nullable: true })
  claimedBy!: string | null;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  claimUntil!: Date | null;

  @Column('text', { nullable: true })
  failedStep!: string | null;

  /** In words. */
  @Column('text', { nullable: true })
  failure!: string | null;

  @CreateDateColumn({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', precision: 3 })
  updatedAt!: Date;
}

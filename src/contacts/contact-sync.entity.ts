import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { CrmConnection } from '../crm/connections/crm-connection.entity.js';

/** How far a connection's contacts have been read. */
@Entity('contact_sync')
@Index('contact_sync_due', ['nextAt'])
export class ContactSyncRow {
  @PrimaryColumn('uuid')
  tenantId!: string;

  @PrimaryColumn('uuid')
  connectionId!: string;

  @ManyToOne(() => CrmConnection, { onDelete: 'CASCADE' })
  @JoinColumn([
    { name: 'tenant_id', referencedColumnName: 'tenantId', foreignKeyConstraintName: 'contact_sync_connection' },
    { name: 'connection_id', referencedColumnName: 'id', foreignKeyConstraintName: 'contact_sync_connection' },
  ])
  connection?: CrmConnection;

  /** Behind the newest page that is stored. Null: from the beginning. */
  @Column('text', { nullable: true })
  cursor!: string | null;

  @Column({ type: 'timestamptz', precision: 3 })
  nextAt!: Date;

  /** The CRM said that contacts have changed, after this round had begun. */
  @Column('boolean', { default: false })
  isNudged!: boolean;

  /** When all that the CRM had was read last. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  completedAt!: Date | null;

  /** Failures in a row. */
  @Column('integer', { default: 0 })
  attempts!: number;

  /** In words. */
  @Column('text', { nullable: true })
  failure!: string | null;

  @Column('uuid', { nullable: true })
  claimedBy!: string | null;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  claimUntil!: Date | null;
}

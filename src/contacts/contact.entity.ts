import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { CrmConnection } from '../crm/connections/crm-connection.entity.js';
import type { CrmContact } from '../crm/port/crm-objects.js';

/** Somebody whom a CRM has, as it told last. Removed with its connection. */
@Entity()
export class Contact {
  @PrimaryColumn('uuid')
  tenantId!: string;

  @PrimaryColumn('uuid')
  connectionId!: string;

  /** The CRM's word. */
  @PrimaryColumn('text')
  type!: string;

  /** The CRM's own. */
  @PrimaryColumn('text')
  id!: string;

  @ManyToOne(() => CrmConnection, { onDelete: 'CASCADE' })
  @JoinColumn([
    { name: 'tenant_id', referencedColumnName: 'tenantId', foreignKeyConstraintName: 'contact_connection' },
    { name: 'connection_id', referencedColumnName: 'id', foreignKeyConstraintName: 'contact_connection' },
  ])
  connection?: CrmConnection;

  @Column('text')
  kind!: CrmContact['kind'];

  @Column('text')
  name!: string;

  @Column('text', { nullable: true })
  company!: string | null;

  /** CRM user whose it is. */
  @Column('text', { nullable: true })
  ownerId!: string | null;

  @Column('text', { nullable: true })
  url!: string | null;

  @Column({ type: 'timestamptz', precision: 3 })
  syncedAt!: Date;
}

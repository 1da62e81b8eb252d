import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { CrmConnection } from '../connections/crm-connection.entity.js';

/** A user of a connection's CRM, as it listed them last. */
@Entity('crm_user')
export class CrmUserRow {
  @PrimaryColumn('uuid')
  tenantId!: string;

  @PrimaryColumn('uuid')
  connectionId!: string;

  /** The CRM's own. */
  @PrimaryColumn('text')
  id!: string;

  @ManyToOne(() => CrmConnection, { onDelete: 'CASCADE' })
  @JoinColumn([
    { name: 'tenant_id', referencedColumnName: 'tenantId', foreignKeyConstraintName: 'crm_user_connection' },
    { name: 'connection_id', referencedColumnName: 'id', foreignKeyConstraintName: 'crm_user_connection' },
  ])
  connection?: CrmConnection;

  @Column('text')
  name!: string;

  @Column('text', { nullable: true })
  email!: string | null;

  @Column('text', { nullable: true })
  extension!: string | null;

  @Column('boolean')
  isActive!: boolean;
}

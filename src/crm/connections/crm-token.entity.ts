import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { CrmConnection } from './crm-connection.entity.js';

/** The OAuth token of a connection. Its row is locked while a fresh one is asked for. */
@Entity()
export class CrmToken {
  @PrimaryColumn('uuid')
  tenantId!: string;

  @PrimaryColumn('uuid')
  connectionId!: string;

  @ManyToOne(() => CrmConnection, { onDelete: 'CASCADE' })
  @JoinColumn([
    { name: 'tenant_id', referencedColumnName: 'tenantId', foreignKeyConstraintName: 'crm_token_connection' },
    { name: 'connection_id', referencedColumnName: 'id', foreignKeyConstraintName: 'crm_token_connection' },
  ])
  connection?: CrmConnection;

  /** A `StoredToken` as JSON, sealed by the secret box. Null: none was given yet. */
  @Column('text', { nullable: true })
  sealed!: string | null;
}

import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { CallRow } from '../calls/ledger/call.entity.js';
import { CrmConnection } from '../crm/connections/crm-connection.entity.js';

/** Whom an agent took the other party of a call for. Of all picks for a number the newest counts. Erased with its call. */
@Entity()
@Index('contact_pick_number', ['tenantId', 'number', 'connectionId', 'pickedAt'], { where: `"number" is not null` })
@Index('contact_pick_by_connection', ['tenantId', 'connectionId'])
export class ContactPick {
  @PrimaryColumn('uuid')
  tenantId!: string;

  @PrimaryColumn('uuid')
  callId!: string;

  @PrimaryColumn('uuid')
  connectionId!: string;

  @ManyToOne(() => CallRow, { onDelete: 'CASCADE' })
  @JoinColumn([
    { name: 'tenant_id', referencedColumnName: 'tenantId', foreignKeyConstraintName: 'contact_pick_call' },
    { name: 'call_id', referencedColumnName: 'id', foreignKeyConstraintName: 'contact_pick_call' },
  ])
  call?: CallRow;

  @ManyToOne(() => CrmConnection, { onDelete: 'CASCADE' })
  @JoinColumn([
    { name: 'tenant_id', referencedColumnName: 'tenantId', foreignKeyConstraintName: 'contact_pick_connection' },
    { name: 'connection_id', referencedColumnName: 'id', foreignKeyConstraintName: 'contact_pick_connection' },
  ])
  connection?: CrmConnection;

  /** E.164, else its digits. Null where there is nothing to remember it by. */
  @Column('text', { nullable: true })
  number!: string | null;

  /** Of the contact. */
  @Column('text')
  type!: string;

  @Column('text')
  id!: string;

  @Column({ type: 'timestamptz', precision: 3 })
  pickedAt!: Date;
}

import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { CallRow } from '../calls/ledger/call.entity.js';

/** A published event, stored as the text that is signed, sent and queued. */
@Entity('call_event')
@Index('call_event_sequence', ['tenantId', 'callId', 'sequence'], { unique: true })
@Index('call_event_unrelayed', ['createdAt'], { where: `"relayed_at" is null` })
@Index('call_event_created', ['createdAt'])
export class CallEventRow {
  @PrimaryColumn('uuid')
  tenantId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  /** Null for what Ringline tells about a webhook endpoint: it goes to endpoints alone, never to the queues. */
  @Column('uuid', { nullable: true })
  callId!: string | null;

  @ManyToOne(() => CallRow, { onDelete: 'CASCADE' })
  @JoinColumn([
    { name: 'tenant_id', referencedColumnName: 'tenantId', foreignKeyConstraintName: 'call_event_call' },
    { name: 'call_id', referencedColumnName: 'id', foreignKeyConstraintName: 'call_event_call' },
  ])
  call?: CallRow;

  @Column('text')
  type!: string;

  @Column('integer')
  sequence!: number;

  @Column({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @Column('text')
  document!: string;

  /** When the event queues took it; null until then. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  relayedAt!: Date | null;
}

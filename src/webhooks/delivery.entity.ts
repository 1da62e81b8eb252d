import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { CallEventRow } from '../outbox/call-event.entity.js';
import { WebhookEndpoint } from './webhook-endpoint.entity.js';

export type DeliveryStatus = 'pending' | 'delivered' | 'superseded' | 'dead';

/** One event to one endpoint. Written in the transaction that wrote the event. */
@Entity()
@Index('delivery_sequence', ['endpointId', 'callId', 'sequence'], { unique: true })
@Index('delivery_newest', ['endpointId', 'id'], { where: `"status" = 'pending'` })
@Index('delivery_dead', ['endpointId', 'id'], { where: `"status" = 'dead'` })
@Index('delivery_due', ['endpointId', 'nextAttemptAt'], { where: `"status" = 'pending'` })
export class Delivery {
  @PrimaryColumn('uuid')
  tenantId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  endpointId!: string;

  @ManyToOne(() => WebhookEndpoint, { onDelete: 'CASCADE' })
  @JoinColumn([
    { name: 'tenant_id', referencedColumnName: 'tenantId', foreignKeyConstraintName: 'delivery_endpoint' },
    { name: 'endpoint_id', referencedColumnName: 'id', foreignKeyConstraintName: 'delivery_endpoint' },
  ])
  endpoint?: WebhookEndpoint;

  @Column('uuid')
  eventId!: string;

  @ManyToOne(() => CallEventRow, { onDelete: 'CASCADE' })
  @JoinColumn([
    { name: 'tenant_id', referencedColumnName: 'tenantId', foreignKeyConstraintName: 'delivery_event' },
    { name: 'event_id', referencedColumnName: 'id', foreignKeyConstraintName: 'delivery_event' },
  ])
  event?: CallEventRow;

  /** Whose events keep their order: the call, or for an event about no call the event itself. */
  @Column('uuid')
  callId!: string;

  @Column('integer')
  sequence!: number;

  @Column('text', { default: 'pending' })
  status!: DeliveryStatus;

  /** HTTP tries made. */
  @Column('integer', { default: 0 })
  attempts!: number;

  /** How often it was asked for again. */
  @Column('integer', { default: 0 })
  replays!: number;

  /** Tries made before it was asked for again: the schedule begins anew after them. */
  @Column('integer', { default: 0 })
  attemptsBeforeReplay!: number;

  @Column({ type: 'timestamptz', precision: 3 })
  nextAttemptAt!: Date;

  /** The worker that is sending it, until `claimUntil`. */
  @Column('uuid', { nullable: true })
  claimedBy!: string | null;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  claimUntil!: Date | null;

  @Column({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  finishedAt!: Date | null;
}

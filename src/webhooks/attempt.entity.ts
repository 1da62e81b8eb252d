import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { Delivery } from './delivery.entity.js';

/** One HTTP try of a delivery. */
@Entity()
export class Attempt {
  @PrimaryColumn('uuid')
  tenantId!: string;

  @PrimaryColumn('uuid')
  deliveryId!: string;

  /** From 1. */
  @PrimaryColumn('integer')
  number!: number;

  @ManyToOne(() => Delivery, { onDelete: 'CASCADE' })
  @JoinColumn([
    { name: 'tenant_id', referencedColumnName: 'tenantId', foreignKeyConstraintName: 'attempt_delivery' },
    { name: 'delivery_id', referencedColumnName: 'id', foreignKeyConstraintName: 'attempt_delivery' },
  ])
  delivery?: Delivery;

  @Column({ type: 'timestamptz', precision: 3 })
  startedAt!: Date;

  @Column('integer')
  durationMs!: number;

  /** HTTP status; null when no answer came. */
  @Column('integer', { nullable: true })
  status!: number | null;

  /** What went wrong, in words; null when it was taken. */
  @Column('text', { nullable: true })
  error!: string | null;

  /** First 4 kB of the answer. */
  @Column('text', { nullable: true })
  responseExcerpt!: string | null;
}

import { Column, CreateDateColumn, Entity, JoinColumn, ManyToOne, PrimaryColumn, UpdateDateColumn } from 'typeorm';
import { Tenant } from '../tenancy/tenant.entity.js';

/** A URL of the tenant that receives call events. */
@Entity()
export class WebhookEndpoint {
  @PrimaryColumn('uuid')
  tenantId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  @ManyToOne(() => Tenant, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'tenant_id', referencedColumnName: 'id', foreignKeyConstraintName: 'webhook_endpoint_tenant' })
  tenant?: Tenant;

  @Column('text')
  url!: string;

  @Column('text')
  description!: string;

  /** Empty: every type. */
  @Column('text', { array: true })
  eventTypes!: string[];

  /** `whsec_...`, sealed by the secret box. */
  @Column('text')
  secretSealed!: string;

  /** The secret before, which signs beside the new one until `previousSecretUntil`. */
  @Column('text', { nullable: true })
  previousSecretSealed!: string | null;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  previousSecretUntil!: Date | null;

  @Column('text')
  status!: 'enabled' | 'paused' | 'disabled';

  /** Why it is disabled, in words. */
  @Column('text', { nullable: true })
  statusReason!: string | null;

  /** The first of the tries that failed since the last one that was taken; null when the last one was taken. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  failingSince!: Date | null;

  /** The newest try that failed. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  failedAt!: Date | null;

  /** Tries that failed since `failingSince`. */
  @Column('integer', { default: 0 })
  failures!: number;

  /** Whether `endpoint.failing` was told since `failingSince`. */
  @Column('boolean', { default: false })
  failingTold!: boolean;

  @CreateDateColumn({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', precision: 3 })
  updatedAt!: Date;
}

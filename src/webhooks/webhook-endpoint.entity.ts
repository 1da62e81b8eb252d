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

  @Column('text')
  status!: 'enabled' | 'paused' | 'disabled';

  /** Why it is disabled, in words. */
  @Column('text', { nullable: true })
  statusReason!: string | null;

  @CreateDateColumn({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', precision: 3 })
  updatedAt!: Date;
}

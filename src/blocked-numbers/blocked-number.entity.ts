import { Column, CreateDateColumn, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { Tenant } from '../tenancy/tenant.entity.js';

/** Callers whom the tenant does not want, and numbers it does not call. */
@Entity()
@Index('blocked_number_pattern', ['tenantId', 'pattern'], { unique: true })
export class BlockedNumber {
  @PrimaryColumn('uuid')
  tenantId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  @ManyToOne(() => Tenant, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'tenant_id', referencedColumnName: 'id', foreignKeyConstraintName: 'blocked_number_tenant' })
  tenant?: Tenant;

  /** E.164, its beginning followed by `*`, or `anonymous`. */
  @Column('text')
  pattern!: string;

  @Column('text', { nullable: true })
  reason!: string | null;

  @CreateDateColumn({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;
}

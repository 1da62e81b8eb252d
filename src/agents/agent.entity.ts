import { Column, CreateDateColumn, Entity, JoinColumn, ManyToOne, PrimaryColumn, UpdateDateColumn } from 'typeorm';
import { Tenant } from '../tenancy/tenant.entity.js';

@Entity()
export class Agent {
  @PrimaryColumn('uuid')
  tenantId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  @ManyToOne(() => Tenant, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'tenant_id', referencedColumnName: 'id', foreignKeyConstraintName: 'agent_tenant' })
  tenant?: Tenant;

  @Column('text')
  name!: string;

  @Column('text', { nullable: true })
  email!: string | null;

  /** CRM user ids of this person, by connection id. */
  @Column('jsonb')
  crmUsers!: Record<string, string>;

  @CreateDateColumn({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', precision: 3 })
  updatedAt!: Date;
}

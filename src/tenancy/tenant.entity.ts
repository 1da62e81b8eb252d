import { Column, CreateDateColumn, Entity, PrimaryColumn, UpdateDateColumn } from 'typeorm';
import type { TenantLimits, TenantRetention } from './tenant.schema.js';
import type { DialRules } from '../numbers/dial-rules.js';

@Entity()
export class Tenant {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  name!: string;

  /** ISO 3166-1 alpha-2: the country whose national numbers this tenant writes. */
  @Column('char', { length: 2 })
  region!: string;

  @Column('jsonb')
  dialRules!: DialRules;

  @Column('jsonb')
  limits!: TenantLimits;

  @Column('jsonb')
  retention!: TenantRetention;

  @CreateDateColumn({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', precision: 3 })
  updatedAt!: Date;
}

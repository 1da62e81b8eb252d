import {
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  UpdateDateColumn,
} from 'typeorm';
import { Tenant } from '../../tenancy/tenant.entity.js';
import type { ConnectionRules } from './connection-rules.js';

/** A tenant's CRM. */
@Entity()
export class CrmConnection {
  @PrimaryColumn('uuid')
  tenantId!: string;

  /** Unique over all tenants: it stands in the address of the door. */
  @Index('crm_connection_id', { unique: true })
  @PrimaryColumn('uuid')
  id!: string;

  @ManyToOne(() => Tenant, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'tenant_id', referencedColumnName: 'id', foreignKeyConstraintName: 'crm_connection_tenant' })
  tenant?: Tenant;

  /** Name of its adapter. */
  @Column('text')
  adapter!: string;

  @Column('text')
  name!: string;

  @Column('text')
  status!: 'enabled' | 'paused' | 'disabled';

  /** Why it is disabled, in words. */
  @Column('text', { nullable: true })
  statusReason!: string | null;

  /** As its adapter asks for them, without those that are secret. */
  @Column('jsonb')
  settings!: object;

  /** Those that are, as one JSON text, sealed by the secret box. */
  @Column('text', { nullable: true })
  secretsSealed!: string | null;

  /** SHA-256 of the random part of the door's address. */
  @Column('bytea')
  doorHash!: Buffer;

  /** Networks in CIDR notation from which the door takes requests. Empty: from everywhere. */
  @Column('text', { array: true, default: [] })
  doorSources!: readonly string[];

  @Column('jsonb')
  rules!: ConnectionRules;

  /** How often in a row the CRM refused its credentials, and since when. */
  @Column('integer', { default: 0 })
  refusals!: number;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  refusedSince!: Date | null;

  /** When the CRM's users were listed last. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  usersListedAt!: Date | null;

  @CreateDateColumn({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', precision: 3 })
  updatedAt!: Date;
}

import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** One thing somebody did: originate, key and secret changes, configuration. Only ever added to. */
@Entity()
@Index('audit_entry_tenant_at', ['tenantId', 'at'])
export class AuditEntry {
  @PrimaryColumn('uuid')
  id!: string;

  /** Null for what belongs to the installation. */
  @Column('uuid', { nullable: true })
  tenantId!: string | null;

  @Column({ type: 'timestamptz', precision: 3 })
  at!: Date;

  /** The API key that asked; null for Ringline itself. */
  @Column('uuid', { nullable: true })
  actorKeyId!: string | null;

  /** Dotted, past tense: `call.requested`, `api-key.created`. */
  @Column('text')
  action!: string;

  @Column('text')
  targetType!: string;

  @Column('text')
  targetId!: string;

  /** Never holds a secret. */
  @Column('jsonb')
  detail!: Record<string, unknown>;
}

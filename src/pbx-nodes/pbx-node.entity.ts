import type { PhoneTransfers } from './pbx-node.schema.js';
import { Column, CreateDateColumn, Entity, Index, PrimaryColumn, UpdateDateColumn } from 'typeorm';

/** One Asterisk. Belongs to the installation, not to a tenant. */
@Entity()
export class PbxNode {
  @PrimaryColumn('uuid')
  id!: string;

  @Index('pbx_node_name', { unique: true })
  @Column('text')
  name!: string;

  @Column('text')
  ariUrl!: string;

  @Column('text')
  username!: string;

  /** Sealed by the secret box. */
  @Column('text')
  passwordSealed!: string;

  /** Name of the control app. */
  @Column('text')
  app!: string;

  @Column('boolean')
  observe!: boolean;

  /** Tenants that may have lines and devices here. Empty: all. */
  @Column('uuid', { array: true })
  tenantIds!: string[];

  @Column('uuid', { nullable: true })
  defaultTenantId!: string | null;

  /** When its events were last followed, by its own clock: what ended unseen ended after that. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  aliveAt!: Date | null;

  /** Where Asterisk writes its channel event log on this host; null when nobody reads it here. */
  @Column('text', { nullable: true })
  celFile!: string | null;

  @Column('text')
  phoneTransfers!: PhoneTransfers;

  /** Contexts of its dial plan in which extensions may be dialled. Empty: none may. */
  @Column('text', { array: true })
  extensionContexts!: string[];

  /** How far that file was read. It only saves work: lines that are read again change nothing. */
  @Column('jsonb', { nullable: true })
  celPosition!: Record<string, unknown> | null;

  @CreateDateColumn({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', precision: 3 })
  updatedAt!: Date;
}

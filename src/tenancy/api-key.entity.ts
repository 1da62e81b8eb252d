import { Column, CreateDateColumn, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { PbxNode } from '../pbx-nodes/pbx-node.entity.js';
import type { Scope } from './scopes.js';
import { Tenant } from './tenant.entity.js';

@Entity()
export class ApiKey {
  @PrimaryColumn('uuid')
  id!: string;

  /** Null for a platform key and for a key of a PBX node, which belong to no tenant. */
  @Column('uuid', { nullable: true })
  tenantId!: string | null;

  @ManyToOne(() => Tenant, { onDelete: 'CASCADE', nullable: true })
  @JoinColumn({ name: 'tenant_id', referencedColumnName: 'id', foreignKeyConstraintName: 'api_key_tenant' })
  tenant?: Tenant;

  /** The only node that the key may send log lines of; null for any other key. */
  @Column('uuid', { nullable: true })
  pbxNodeId!: string | null;

  @ManyToOne(() => PbxNode, { onDelete: 'CASCADE', nullable: true })
  @JoinColumn({ name: 'pbx_node_id', referencedColumnName: 'id', foreignKeyConstraintName: 'api_key_pbx_node' })
  pbxNode?: PbxNode;

  @Column('text')
  name!: string;

  @Column('text', { array: true })
  scopes!: Scope[];

  /** SHA-256 of the whole key. The key itself is shown once and not stored. */
  @Index('api_key_secret_hash', { unique: true })
  @Column('bytea')
  secretHash!: Buffer;

  @CreateDateColumn({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  revokedAt!: Date | null;
}

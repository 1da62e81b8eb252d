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
import { PbxNode } from '../pbx-nodes/pbx-node.entity.js';
import { Tenant } from '../tenancy/tenant.entity.js';
import type { LineOutbound, LineRecording, LineTarget } from './line.schema.js';

/** A number of the tenant, and where its calls lead. */
@Entity()
@Index('line_did', ['pbxNodeId', 'did'], { unique: true })
export class Line {
  @PrimaryColumn('uuid')
  tenantId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  @ManyToOne(() => Tenant, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'tenant_id', referencedColumnName: 'id', foreignKeyConstraintName: 'line_tenant' })
  tenant?: Tenant;

  @Column('uuid')
  pbxNodeId!: string;

  @ManyToOne(() => PbxNode, { onDelete: 'RESTRICT' })
  @JoinColumn({ name: 'pbx_node_id', referencedColumnName: 'id', foreignKeyConstraintName: 'line_pbx_node' })
  pbxNode?: PbxNode;

  /** E.164 with `+`. */
  @Column('text')
  number!: string;

  /** Exactly what the dial plan passes to Stasis. */
  @Column('text')
  did!: string;

  @Column('text')
  name!: string;

  @Column('jsonb')
  target!: LineTarget;

  @Column('jsonb', { nullable: true })
  outbound!: LineOutbound | null;

  /** Whether its calls are recorded without being asked. */
  @Column('text', { default: 'off' })
  recordingMode!: LineRecording['mode'];

  @CreateDateColumn({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', precision: 3 })
  updatedAt!: Date;
}

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
import { PbxNode } from '../../pbx-nodes/pbx-node.entity.js';
import { Tenant } from '../../tenancy/tenant.entity.js';
import type { Call as CallDocument } from '../domain/call.js';

/** One call as of its newest change. `document` is what the API and the newest event show; the rest serves queries. */
@Entity('call')
@Index('call_history', ['tenantId', 'startedAt', 'id'])
@Index('call_remote', ['tenantId', 'remoteE164', 'startedAt'])
@Index('call_open', ['pbxNodeId'], { where: `"ended_at" is null` })
export class CallRow {
  @PrimaryColumn('uuid')
  tenantId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  @ManyToOne(() => Tenant, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'tenant_id', referencedColumnName: 'id', foreignKeyConstraintName: 'call_tenant' })
  tenant?: Tenant;

  @Column('uuid')
  pbxNodeId!: string;

  @ManyToOne(() => PbxNode, { onDelete: 'RESTRICT' })
  @JoinColumn({ name: 'pbx_node_id', referencedColumnName: 'id', foreignKeyConstraintName: 'call_pbx_node' })
  pbxNode?: PbxNode;

  /** Start time of the Asterisk process that carries the call: its channel ids may repeat after a restart. */
  @Column('text')
  boot!: string;

  @Column('text')
  direction!: string;

  @Column('text')
  status!: string;

  @Column('text', { nullable: true })
  outcome!: string | null;

  @Column('text', { nullable: true })
  remoteE164!: string | null;

  @Column('uuid', { array: true })
  agentIds!: string[];

  @Column({ type: 'timestamptz', precision: 3 })
  startedAt!: Date;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  endedAt!: Date | null;

  /** Number of visible changes; equals the `sequence` of the newest event. */
  @Column('integer')
  version!: number;

  @Column('jsonb')
  document!: CallDocument;

  @CreateDateColumn({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', precision: 3 })
  updatedAt!: Date;
}

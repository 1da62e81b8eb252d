import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { PbxNode } from '../pbx-nodes/pbx-node.entity.js';
import { Agent } from './agent.entity.js';

export type AutoAnswer = 'none' | 'call-info' | 'alert-info';

/** A phone of an agent: one endpoint of one node, dialled `PJSIP/<endpoint>`. */
@Entity()
@Index('device_endpoint', ['pbxNodeId', 'endpoint'], { unique: true })
@Index('device_by_agent', ['tenantId', 'agentId'])
export class Device {
  @PrimaryColumn('uuid')
  tenantId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  agentId!: string;

  @ManyToOne(() => Agent, { onDelete: 'CASCADE' })
  @JoinColumn([
    { name: 'tenant_id', referencedColumnName: 'tenantId', foreignKeyConstraintName: 'device_agent' },
    { name: 'agent_id', referencedColumnName: 'id', foreignKeyConstraintName: 'device_agent' },
  ])
  agent?: Agent;

  @Column('text')
  kind!: 'sip';

  @Column('uuid')
  pbxNodeId!: string;

  @ManyToOne(() => PbxNode, { onDelete: 'RESTRICT' })
  @JoinColumn({ name: 'pbx_node_id', referencedColumnName: 'id', foreignKeyConstraintName: 'device_pbx_node' })
  pbxNode?: PbxNode;

  @Column('text')
  endpoint!: string;

  @Column('text')
  autoAnswer!: AutoAnswer;

  /** Place in the agent's list of devices, from 0. */
  @Column('integer')
  position!: number;
}

import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { PbxNode } from '../pbx-nodes/pbx-node.entity.js';
import { Agent } from './agent.entity.js';

export type AutoAnswer = 'none' | 'call-info' | 'alert-info';

/** Whether who answers an outside number has to press 1 before he has the call. */
export type Confirm = 'press-1' | 'none';

/**
 * What rings for an agent. `sip`: a phone, one endpoint of one node, dialled `PJSIP/<endpoint>`. `number`: an outside number,
 * called by the trunk of a call's line.
 */
@Entity()
@Index('device_endpoint', ['pbxNodeId', 'endpoint'], { unique: true })
@Index('device_number', ['tenantId', 'number'], { unique: true })
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
  kind!: 'sip' | 'number';

  /** Of a phone. */
  @Column('uuid', { nullable: true })
  pbxNodeId!: string | null;

  @ManyToOne(() => PbxNode, { onDelete: 'RESTRICT' })
  @JoinColumn({ name: 'pbx_node_id', referencedColumnName: 'id', foreignKeyConstraintName: 'device_pbx_node' })
  pbxNode?: PbxNode;

  /** Of a phone. */
  @Column('text', { nullable: true })
  endpoint!: string | null;

  @Column('text')
  autoAnswer!: AutoAnswer;

  /** Of an outside number, E.164. */
  @Column('text', { nullable: true })
  number!: string | null;

  /** Of an outside number. */
  @Column('text', { nullable: true })
  confirm!: Confirm | null;

  /** Place in the agent's list of devices, from 0. */
  @Column('integer')
  position!: number;
}

type Phone = Device & { readonly pbxNodeId: string; readonly endpoint: string };

export function isPhone(device: Device): device is Phone {
  return device.kind === 'sip';
}

type OutsideNumberDevice = Device & { readonly number: string; readonly confirm: Confirm };

export function isOutsideNumber(device: Device): device is OutsideNumberDevice {
  return device.kind === 'number';
}

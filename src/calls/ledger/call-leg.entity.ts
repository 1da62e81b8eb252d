import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { CallRow } from './call.entity.js';

/** Which call a leg belongs to. A merge re-points these rows; facts stay as they are. */
@Entity()
@Index('call_leg_by_call', ['tenantId', 'callId'])
export class CallLeg {
  @PrimaryColumn('uuid')
  pbxNodeId!: string;

  @PrimaryColumn('text')
  boot!: string;

  /** The switch's id of the leg; the call's own id for what concerns the whole call. */
  @PrimaryColumn('text')
  leg!: string;

  @Column('uuid')
  tenantId!: string;

  @Column('uuid')
  callId!: string;

  @ManyToOne(() => CallRow, { onDelete: 'CASCADE' })
  @JoinColumn([
    { name: 'tenant_id', referencedColumnName: 'tenantId', foreignKeyConstraintName: 'call_leg_call' },
    { name: 'call_id', referencedColumnName: 'id', foreignKeyConstraintName: 'call_leg_call' },
  ])
  call?: CallRow;
}

import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { PbxNode } from './pbx-node.entity.js';

/** A run of one Asterisk that Ringline was connected to: tells which run wrote a line of its log. */
@Entity()
export class PbxNodeBoot {
  @PrimaryColumn('uuid')
  pbxNodeId!: string;

  @ManyToOne(() => PbxNode, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'pbx_node_id', referencedColumnName: 'id', foreignKeyConstraintName: 'pbx_node_boot_pbx_node' })
  pbxNode?: PbxNode;

  /** Start time of the Asterisk process, as it writes it. */
  @PrimaryColumn('text')
  boot!: string;

  @Column({ type: 'timestamptz', precision: 3 })
  startedAt!: Date;
}

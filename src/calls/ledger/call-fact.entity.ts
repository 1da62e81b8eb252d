import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { CallLeg } from './call-leg.entity.js';

/** One thing learned about a leg, whoever told it. See `calls/domain/fact.ts`. */
@Entity()
export class CallFact {
  @PrimaryColumn('uuid')
  pbxNodeId!: string;

  @PrimaryColumn('text')
  boot!: string;

  @PrimaryColumn('text')
  leg!: string;

  @PrimaryColumn('text')
  kind!: string;

  /** Empty for what happens once, the source's own identity for what repeats. */
  @PrimaryColumn('text')
  key!: string;

  @ManyToOne(() => CallLeg, { onDelete: 'CASCADE' })
  @JoinColumn([
    { name: 'pbx_node_id', referencedColumnName: 'pbxNodeId', foreignKeyConstraintName: 'call_fact_leg' },
    { name: 'boot', referencedColumnName: 'boot', foreignKeyConstraintName: 'call_fact_leg' },
    { name: 'leg', referencedColumnName: 'leg', foreignKeyConstraintName: 'call_fact_leg' },
  ])
  callLeg?: CallLeg;

  @Column({ type: 'timestamptz', precision: 3 })
  at!: Date;

  /** Name of the source; a better one replaces a worse one. */
  @Column('text')
  source!: string;

  @Column('jsonb')
  data!: Record<string, unknown>;
}

import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';

/** A published queue that is to be filled again with the events of a time. The relay works it off, batch by batch. */
@Entity()
@Index('queue_replay_open', ['id'], { where: `"finished_at" is null` })
export class QueueReplay {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  queue!: string;

  @Column({ type: 'timestamptz', precision: 3 })
  fromAt!: Date;

  /** Events from here on are not added. */
  @Column({ type: 'timestamptz', precision: 3 })
  toAt!: Date;

  /** The last event that was added. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  positionAt!: Date | null;

  @Column('uuid', { nullable: true })
  positionId!: string | null;

  @Column('integer', { default: 0 })
  added!: number;

  @CreateDateColumn({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  finishedAt!: Date | null;
}

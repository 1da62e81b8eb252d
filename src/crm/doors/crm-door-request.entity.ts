import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { CrmConnection } from '../connections/crm-connection.entity.js';
import type { DialTelling, DoorAnswer } from './door-answer.js';

/** A request that came to a door and was heeded: the same one is answered alike for a day, and what came of it is told the CRM. */
@Entity()
@Index('crm_door_request_received', ['receivedAt'])
@Index('crm_door_request_telling', ['tellAt'], { where: `"tell_at" IS NOT NULL` })
export class CrmDoorRequest {
  @PrimaryColumn('uuid')
  tenantId!: string;

  @PrimaryColumn('uuid')
  connectionId!: string;

  /** SHA-256 of the vendor's id of the request, or of what it says. */
  @PrimaryColumn('bytea')
  keyHash!: Buffer;

  @ManyToOne(() => CrmConnection, { onDelete: 'CASCADE' })
  @JoinColumn([
    { name: 'tenant_id', referencedColumnName: 'tenantId', foreignKeyConstraintName: 'crm_door_request_connection' },
    { name: 'connection_id', referencedColumnName: 'id', foreignKeyConstraintName: 'crm_door_request_connection' },
  ])
  connection?: CrmConnection;

  @Column({ type: 'timestamptz', precision: 3 })
  receivedAt!: Date;

  /** When the process that heeds it took it up: who dies over it leaves it to the next repetition. */
  @Column({ type: 'timestamptz', precision: 3 })
  claimedAt!: Date;

  /** Null while it is being heeded. */
  @Column('jsonb', { nullable: true })
  answer!: DoorAnswer | null;

  /** What is to be told the CRM; null where there is nothing, or it knows. */
  @Column('jsonb', { nullable: true })
  telling!: DialTelling | null;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  tellAt!: Date | null;

  @Column('smallint', { default: 0 })
  tellAttempts!: number;
}

import { Column, CreateDateColumn, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { Agent } from '../agents/agent.entity.js';

/** A browser's right to one agent's stream. */
@Entity()
export class StreamToken {
  @PrimaryColumn('uuid')
  tenantId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  agentId!: string;

  @ManyToOne(() => Agent, { onDelete: 'CASCADE' })
  @JoinColumn([
    { name: 'tenant_id', referencedColumnName: 'tenantId', foreignKeyConstraintName: 'stream_token_agent' },
    { name: 'agent_id', referencedColumnName: 'id', foreignKeyConstraintName: 'stream_token_agent' },
  ])
  agent?: Agent;

  /** The key that asked for it: revoking that key ends the stream. */
  @Column('uuid', { nullable: true })
  apiKeyId!: string | null;

  /** SHA-256 of the token. */
  @Index('stream_token_hash', { unique: true })
  @Column('bytea')
  tokenHash!: Buffer;

  /** The only origin that may use it; null: any that CORS lets in. */
  @Column('text', { nullable: true })
  origin!: string | null;

  @CreateDateColumn({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @Column({ type: 'timestamptz', precision: 3 })
  expiresAt!: Date;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  revokedAt!: Date | null;
}

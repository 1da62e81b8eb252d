import { Column, CreateDateColumn, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { ProblemDetails, ProblemType } from '../../common/problems.js';
import type { RequestedLinks } from '../../outbox/crm-links.js';
import { Tenant } from '../../tenancy/tenant.entity.js';
import type { ClickToCall } from '../domain/plan.js';

/**
 * A click-to-call that was asked for: the idempotency record, the plan, and what the limits count.
 * `deciding`: the node's owner has not said yet whether the call can be placed. `placing`: it will be, its first facts
 * are being stored. `accepted`: there is a call. `refused`: deleted as soon as the client was told, so that it stores nothing.
 */
@Entity()
@Index('call_request_open_agent', ['tenantId', 'agentId'], { unique: true, where: `"open"` })
@Index('call_request_deciding', ['pbxNodeId'], { where: `"state" = 'deciding'` })
@Index('call_request_hour', ['tenantId', 'createdAt'])
export class CallRequest {
  @PrimaryColumn('uuid')
  tenantId!: string;

  /** 1 to 255 printable characters, given by the client. */
  @PrimaryColumn('text')
  idempotencyKey!: string;

  @ManyToOne(() => Tenant, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'tenant_id', referencedColumnName: 'id', foreignKeyConstraintName: 'call_request_tenant' })
  tenant?: Tenant;

  /** SHA-256 of the canonical body. */
  @Column('bytea')
  bodyHash!: Buffer;

  /** Id the call has, or will have once accepted. */
  @Index('call_request_call', { unique: true })
  @Column('uuid')
  callId!: string;

  @Column('uuid')
  agentId!: string;

  @Column('uuid')
  pbxNodeId!: string;

  @Column('text')
  state!: 'deciding' | 'placing' | 'accepted' | 'refused';

  /** The API key that asked; null for a CRM, which asked by its connection's door. */
  @Column('uuid', { nullable: true })
  actorKeyId!: string | null;

  /** The connection whose CRM it is about, and what that has of the call already. */
  @Column('jsonb', { nullable: true })
  crm!: RequestedLinks | null;

  /** Why the node's owner refused: type and details of the problem. The API deletes the row when it has told. */
  @Column('jsonb', { nullable: true })
  refusal!: { readonly type: ProblemType; readonly details: ProblemDetails } | null;

  /** True until the call has ended: one per agent. */
  @Column('boolean')
  open!: boolean;

  /** What is to be dialled. */
  @Column('jsonb')
  plan!: ClickToCall;

  @CreateDateColumn({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;
}

import type { ObjectRef } from '../port/crm-objects.js';

/** A call that a CRM asked for by its door. */
export type DialOrder = {
  readonly tenantId: string;
  readonly connectionId: string;
  /** The same for the same request: it is placed once. */
  readonly idempotencyKey: string;
  readonly agentId: string;
  readonly number: string;
  /** Null: the agent's own. */
  readonly lineId: string | null;
  readonly entity: ObjectRef | null;
  readonly remoteCallId: string | null;
};

/** Places calls by the same rules as everybody's: dial rules, limits, audit. Given by the composition: the CRM part knows no calls. */
export abstract class Dialer {
  /** @throws {Problem} why it was not placed. */
  abstract dial(order: DialOrder): Promise<{ readonly callId: string }>;
}

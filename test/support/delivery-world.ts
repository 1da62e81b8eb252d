import { Registry } from 'prom-client';
import { EventWriter, type WrittenCall } from '../../lab/event-writer.js';
import { callEventTypes, type CallEventType } from '../../src/calls/domain/call-event.js';
import { systemClock } from '../../src/common/clock.js';
import { newId } from '../../src/common/ids.js';
import { createLog, type Log } from '../../src/common/logger.js';
import { SecretBox } from '../../src/common/secret-box.js';
import { createDataSource } from '../../src/database/data-source.js';
import { Database } from '../../src/database/database.js';
import { EgressRules } from '../../src/egress/egress-rules.js';
import { GuardedClient, egressLimits, type EgressLimits } from '../../src/egress/guarded-client.js';
import type { OutboxEvent } from '../../src/outbox/outbox.js';
import { WakeUpQueue } from '../../src/queues/wake-up-queue.js';
import { RedisLink } from '../../src/queues/redis-link.js';
import { DeliveryStore } from '../../src/webhooks/delivery-store.js';
import { EndpointWatch, watchLimits, type WatchLimits } from '../../src/webhooks/endpoint-watch.js';
import type { Delivery } from '../../src/webhooks/delivery.entity.js';
import { WebhookMetrics } from '../../src/webhooks/webhook-metrics.js';
import { WebhookSender, senderLimits, type SenderLimits } from '../../src/webhooks/webhook-sender.js';
import { callDocument } from '../../lab/call-document.js';

export type DeliveryRow = Pick<Delivery, 'id' | 'sequence' | 'status' | 'attempts' | 'nextAttemptAt' | 'createdAt'>;
export type AttemptRow = { number: number; status: number | null; error: string | null; excerpt: string | null };

/** Tenants, calls and their committed events on a real database, and the parts that deliver them. */
export class DeliveryWorld {
  readonly #ends: (() => Promise<unknown> | void)[] = [];
  logged: Record<string, unknown>[] = [];

  private constructor(
    readonly database: Database,
    readonly log: Log,
    readonly writer: EventWriter,
    readonly secretBox: SecretBox,
  ) {}

  static async start(databaseUrl: string): Promise<DeliveryWorld> {
    const logged: Record<string, unknown>[] = [];
    const log = createLog('debug', { write: (line) => logged.push(JSON.parse(line) as Record<string, unknown>) });
    const database = new Database(createDataSource(databaseUrl), { runMigrations: true }, log);
    database.start();
    await database.ready;
    const secretBox = new SecretBox('ab'.repeat(32));
    const world = new DeliveryWorld(database, log, await EventWriter.open(database.source, secretBox), secretBox);
    world.logged = logged;
    return world;
  }

  /** Ends what was started here, newest first. */
  async stop(): Promise<void> {
    await this.stopParts();
    await this.database.stop();
  }

  async stopParts(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }

  query<T>(sql: string, parameters: unknown[] = []): Promise<T> {
    return this.database.source.query(sql, parameters);
  }

  addTenant(): Promise<string> {
    return this.writer.addTenant();
  }

  addEndpoint(...endpoint: Parameters<EventWriter['addEndpoint']>): ReturnType<EventWriter['addEndpoint']> {
    return this.writer.addEndpoint(...endpoint);
  }

  async addCall(tenantId: string): Promise<WrittenCall> {
    const [call] = await this.writer.addCalls([tenantId]);
    return call as WrittenCall;
  }

  /** Commits the next events of calls in one transaction, as the ledger does, and answers with them. */
  async commit(...changes: readonly (readonly [WrittenCall, ...CallEventType[]])[]): Promise<OutboxEvent[]> {
    const events = changes.flatMap(([call, ...types]) =>
      types.map((type) => this.writer.next(call, type, callDocument)),
    );
    await this.writer.commit(events);
    return events;
  }

  redis(url: string): RedisLink {
    const link = new RedisLink(url, this.log);
    link.start();
    this.#ends.push(() => link.stop());
    return link;
  }

  sender(
    options: {
      readonly schedule?: readonly number[];
      readonly limits?: Partial<SenderLimits>;
      readonly egress?: Partial<EgressLimits>;
      readonly watch?: Partial<WatchLimits>;
      readonly link?: RedisLink;
      readonly secretBox?: SecretBox;
    } = {},
  ): { readonly sender: WebhookSender; readonly metrics: Registry } {
    const limits = { ...senderLimits, sweepMs: 100, ...options.limits };
    const client = new GuardedClient(new EgressRules(['127.0.0.1']), { ...egressLimits, ...options.egress });
    const link = options.link ?? new RedisLink('redis://127.0.0.1:1', this.log);
    const registry = new Registry();
    const sender = new WebhookSender(
      this.database,
      new DeliveryStore(this.database.source, newId(), limits.claimSeconds),
      new EndpointWatch(this.database.source, systemClock, this.log, { ...watchLimits, ...options.watch }),
      client,
      options.secretBox ?? this.secretBox,
      new WakeUpQueue(link, this.log),
      options.schedule ?? [0, 0.05, 0.05, 0.05, 0.05],
      new WebhookMetrics({ registry }),
      systemClock,
      this.log,
      limits,
    );
    this.#ends.push(
      () => client.close(),
      () => sender.stop(),
    );
    sender.start();
    return { sender, metrics: registry };
  }

  deliveries(endpointId: string, callId?: string): Promise<DeliveryRow[]> {
    return this.query(
      `select id, sequence, status, attempts, next_attempt_at as "nextAttemptAt", created_at as "createdAt" from delivery
       where endpoint_id = $1 and ($2::uuid is null or call_id = $2) order by call_id, sequence`,
      [endpointId, callId ?? null],
    );
  }

  attempts(deliveryId: string): Promise<AttemptRow[]> {
    return this.query(
      `select number, status, error, response_excerpt as excerpt from attempt where delivery_id = $1 order by number`,
      [deliveryId],
    );
  }

  /** Whether nothing is left to send to an endpoint. */
  async isFinished(endpointId: string): Promise<boolean> {
    const [row] = await this.query<{ count: string }[]>(
      `select count(*) from delivery where endpoint_id = $1 and status = 'pending'`,
      [endpointId],
    );
    return row?.count === '0';
  }
}

/** The milestones of an answered call. */
export const milestones = callEventTypes.filter((type) =>
  ['call.started', 'call.ringing', 'call.answered', 'call.ended'].includes(type),
) as ['call.started', 'call.ringing', 'call.answered', 'call.ended'];

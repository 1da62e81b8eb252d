import {
  Inject,
  Module,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { newId } from '../common/ids.js';
import { Log } from '../common/logger.js';
import { SecretBox } from '../common/secret-box.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { EgressModule } from '../egress/egress.module.js';
import { GuardedClient } from '../egress/guarded-client.js';
import { Metrics } from '../metrics/metrics.js';
import { OutboxModule } from '../outbox/outbox.module.js';
import { OutboxWakeUp } from '../outbox/outbox-wake-up.js';
import { QueuesModule } from '../queues/queues.module.js';
import { WakeUpQueue } from '../queues/wake-up-queue.js';
import { DeliveryStore } from './delivery-store.js';
import { EndpointWatch } from './endpoint-watch.js';
import { WebhookMetrics } from './webhook-metrics.js';
import { WebhookSender, senderLimits } from './webhook-sender.js';

/** Of the worker part: sends deliveries. */
@Module({
  imports: [EgressModule, OutboxModule, QueuesModule],
  providers: [
    {
      provide: WebhookSender,
      inject: [Database, GuardedClient, SecretBox, WakeUpQueue, Config, Metrics, Clock, Log],
      useFactory: (
        database: Database,
        client: GuardedClient,
        secretBox: SecretBox,
        wakeUps: WakeUpQueue,
        config: Config,
        metrics: Metrics,
        clock: Clock,
        log: Log,
      ) =>
        new WebhookSender(
          database,
          new DeliveryStore(database.source, newId(), senderLimits.claimSeconds),
          new EndpointWatch(database.source, clock, log),
          client,
          secretBox,
          wakeUps,
          config.webhookRetrySeconds,
          new WebhookMetrics(metrics),
          clock,
          log,
        ),
    },
  ],
})
export class WebhookSenderModule implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    @Inject(WebhookSender) private readonly sender: WebhookSender,
    @Inject(OutboxWakeUp) private readonly wakeUp: OutboxWakeUp,
  ) {}

  onModuleInit(): void {
    this.wakeUp.add((tenantIds) => this.sender.nudge(tenantIds));
  }

  onApplicationBootstrap(): void {
    this.sender.start();
  }

  // Before the database and Redis are let go.
  beforeApplicationShutdown(): Promise<void> {
    return this.sender.stop();
  }
}

import {
  Inject,
  Module,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { Gauge } from 'prom-client';
import { Log } from '../common/logger.js';
import { Database } from '../database/database.js';
import { Metrics } from '../metrics/metrics.js';
import { EventQueues } from '../queues/event-queues.js';
import { QueuesModule } from '../queues/queues.module.js';
import { RedisLink } from '../queues/redis-link.js';
import { OutboxWakeUp } from './outbox-wake-up.js';
import { Relay } from './relay.js';

/** Of the worker part: carries committed events to the queues. */
@Module({
  imports: [QueuesModule],
  providers: [
    {
      provide: Relay,
      inject: [Database, RedisLink, EventQueues, Log],
      useFactory: (database: Database, link: RedisLink, queues: EventQueues, log: Log) =>
        new Relay(database, link, queues, log),
    },
  ],
})
export class OutboxModule implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    @Inject(Relay) private readonly relay: Relay,
    @Inject(OutboxWakeUp) private readonly wakeUp: OutboxWakeUp,
    @Inject(EventQueues) private readonly queues: EventQueues,
    @Inject(Metrics) private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    const { queues } = this;
    new Gauge({
      name: 'ringline_queue_waiting',
      help: 'Events that wait in a published queue, as last seen.',
      labelNames: ['queue'],
      registers: [this.metrics.registry],
      collect() {
        for (const [queue, waiting] of queues.waiting) this.set({ queue }, waiting);
      },
    });
    this.wakeUp.add(() => this.relay.nudge());
  }

  onApplicationBootstrap(): void {
    this.relay.start();
  }

  // Before the database and Redis are let go.
  async beforeApplicationShutdown(): Promise<void> {
    await this.relay.stop();
  }
}

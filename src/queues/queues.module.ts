import {
  Global,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { Config } from '../config/config.js';
import { Log } from '../common/logger.js';
import { HealthParts } from '../health/health-parts.js';
import { EventQueues } from './event-queues.js';
import { RedisLink } from './redis-link.js';
import { WakeUpQueue } from './wake-up-queue.js';

@Global()
@Module({
  providers: [
    {
      provide: RedisLink,
      inject: [Config, Log],
      useFactory: (config: Config, log: Log) => new RedisLink(config.redisUrl, log),
    },
    {
      provide: EventQueues,
      inject: [RedisLink, Config],
      useFactory: (link: RedisLink, config: Config) => new EventQueues(link, config.eventQueues),
    },
    {
      provide: WakeUpQueue,
      inject: [RedisLink, Log],
      useFactory: (link: RedisLink, log: Log) => new WakeUpQueue(link, log),
    },
  ],
  exports: [RedisLink, EventQueues, WakeUpQueue],
})
export class QueuesModule implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(RedisLink) private readonly link: RedisLink,
    @Inject(HealthParts) private readonly health: HealthParts,
  ) {}

  onModuleInit(): void {
    this.health.register(() => [this.link.health()]);
  }

  onApplicationBootstrap(): void {
    this.link.start();
  }

  onApplicationShutdown(): void {
    this.link.stop();
  }
}

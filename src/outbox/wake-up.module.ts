import { Global, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { Database } from '../database/database.js';
import { Notifications } from '../database/notifications.js';
import { EVENTS_COMMITTED, OutboxWakeUp } from './outbox-wake-up.js';

/** Of every part: who commits events and who sends them may be different processes. */
@Global()
@Module({
  providers: [
    {
      provide: OutboxWakeUp,
      inject: [Database],
      useFactory: ({ source }: Database) =>
        new OutboxWakeUp((tenantIds) => {
          source.query('select pg_notify($1, $2)', [EVENTS_COMMITTED, tenantIds]).catch(() => undefined);
        }),
    },
  ],
  exports: [OutboxWakeUp],
})
export class WakeUpModule implements OnApplicationBootstrap {
  constructor(
    @Inject(OutboxWakeUp) private readonly wakeUp: OutboxWakeUp,
    @Inject(Notifications) private readonly notifications: Notifications,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.notifications.on(EVENTS_COMMITTED, (tenantIds) =>
      this.wakeUp.wake(new Set(tenantIds.split(',').filter(Boolean))),
    );
  }
}

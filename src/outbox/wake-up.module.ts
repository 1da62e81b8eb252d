import { Global, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { Database } from '../database/database.js';
import { runPrepared } from '../database/prepared.js';
import { Notifications } from '../database/notifications.js';
import { EVENTS_COMMITTED, OutboxWakeUp } from './outbox-wake-up.js';

const tellCommitted = { name: 'events-committed', text: `select pg_notify('${EVENTS_COMMITTED}', $1)` };

/** Of every part: who commits events and who sends them may be different processes. */
@Global()
@Module({
  providers: [
    {
      provide: OutboxWakeUp,
      inject: [Database],
      useFactory: ({ source }: Database) =>
        new OutboxWakeUp((tenantIds) => {
          runPrepared(source, tellCommitted, [tenantIds]).catch(() => undefined);
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

  /** Under load every other commit is told of: whoever has nobody to wake does not listen. */
  async onApplicationBootstrap(): Promise<void> {
    if (!this.wakeUp.wakesAnybody) return;
    await this.notifications.on(EVENTS_COMMITTED, (tenantIds) =>
      this.wakeUp.wake(new Set(tenantIds.split(',').filter(Boolean))),
    );
  }
}

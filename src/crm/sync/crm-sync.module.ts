import {
  Inject,
  Module,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { Log } from '../../common/logger.js';
import { ContactIndex } from '../../contacts/contact-index.js';
import { ContactIndexModule } from '../../contacts/contact-index.module.js';
import { Database } from '../../database/database.js';
import { Notifications } from '../../database/notifications.js';
import { Metrics } from '../../metrics/metrics.js';
import { OutboxWakeUp } from '../../outbox/outbox-wake-up.js';
import { RecordingsForCrm } from '../../recordings/recordings-for-crm.js';
import { RecordingsForCrmModule } from '../../recordings/recordings-for-crm.module.js';
import { AuditLog } from '../../tenancy/audit-log.js';
import { CrmClientModule } from '../client/crm-client.module.js';
import { CrmClients } from '../client/crm-clients.js';
import { CONNECTIONS_CHANGED } from '../connections/connections-changed.js';
import { CallSync } from './call-sync.js';
import { ContactFinder } from './contact-finder.js';
import { CrmSyncMetrics } from './crm-sync-metrics.js';
import { SyncStore, syncLimits } from './sync-store.js';
import { SyncWorker } from './sync-worker.js';
import { UserDirectory } from './user-directory.js';

/** Of the worker part: brings calls to CRMs. */
@Module({
  imports: [CrmClientModule, ContactIndexModule, RecordingsForCrmModule],
  providers: [
    {
      provide: SyncWorker,
      inject: [Database, CrmClients, ContactIndex, RecordingsForCrm, Metrics, Clock, Log],
      useFactory: (
        database: Database,
        clients: CrmClients,
        index: ContactIndex,
        recordings: RecordingsForCrm,
        registry: Metrics,
        clock: Clock,
        log: Log,
      ) => {
        const { source } = database;
        const store = new SyncStore(source, new AuditLog(clock), syncLimits);
        const metrics = new CrmSyncMetrics(registry);
        const users = new UserDirectory(source, log);
        const parts = { contacts: new ContactFinder(index), recordings };
        const sync = new CallSync(store, clients, users, parts, metrics, clock, log);
        return new SyncWorker(database, store, sync, metrics, log);
      },
    },
  ],
})
export class CrmSyncModule implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    @Inject(SyncWorker) private readonly worker: SyncWorker,
    @Inject(OutboxWakeUp) private readonly wakeUp: OutboxWakeUp,
    @Inject(Notifications) private readonly notifications: Notifications,
  ) {}

  onModuleInit(): void {
    this.wakeUp.add((tenantIds) => this.worker.nudge(tenantIds));
  }

  async onApplicationBootstrap(): Promise<void> {
    this.worker.start();
    await this.notifications.on(CONNECTIONS_CHANGED, () => this.worker.connectionsChanged());
  }

  // Before the database is let go.
  beforeApplicationShutdown(): Promise<void> {
    return this.worker.stop();
  }
}

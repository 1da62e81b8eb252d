import { Inject, Module, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { newId } from '../common/ids.js';
import { Log } from '../common/logger.js';
import { Database } from '../database/database.js';
import { Notifications } from '../database/notifications.js';
import { ContactIndex } from './contact-index.js';
import { ContactIndexModule } from './contact-index.module.js';
import { CONTACTS_CHANGED, ContactSources } from './contact-sources.js';
import { ContactSyncStore } from './contact-sync-store.js';
import { CLAIM_SECONDS, ContactSync } from './contact-sync.js';

/** Of the worker part: keeps the index of contacts as the CRMs are. */
@Module({
  imports: [ContactIndexModule],
  providers: [
    {
      provide: ContactSync,
      inject: [Database, ContactSources, ContactIndex, Log],
      useFactory: (database: Database, sources: ContactSources, index: ContactIndex, log: Log) =>
        new ContactSync(database, sources, new ContactSyncStore(database.source, index, newId(), CLAIM_SECONDS), log),
    },
  ],
})
export class ContactSyncModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    @Inject(ContactSync) private readonly sync: ContactSync,
    @Inject(Notifications) private readonly notifications: Notifications,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.sync.start();
    await this.notifications.on(CONTACTS_CHANGED, (connectionId) => void this.sync.changed(connectionId));
  }

  // Before the database is let go.
  beforeApplicationShutdown(): Promise<void> {
    return this.sync.stop();
  }
}

import { Global, Module } from '@nestjs/common';
import { Log } from '../../common/logger.js';
import { ContactSources } from '../../contacts/contact-sources.js';
import { Database } from '../../database/database.js';
import { CrmClientModule } from '../client/crm-client.module.js';
import { CrmClients } from '../client/crm-clients.js';
import { CrmContactSources } from './crm-contact-sources.js';

/** Global, because `contacts` asks CRMs and may not know `crm`. */
@Global()
@Module({
  imports: [CrmClientModule],
  providers: [
    {
      provide: ContactSources,
      inject: [Database, CrmClients, Log],
      useFactory: (database: Database, clients: CrmClients, log: Log) => new CrmContactSources(database, clients, log),
    },
  ],
  exports: [ContactSources],
})
export class CrmContactsModule {}

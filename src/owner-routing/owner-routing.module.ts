import { Global, Module } from '@nestjs/common';
import { CallerOwners } from '../calls/caller-owners.js';
import { Log } from '../common/logger.js';
import { ContactIndex } from '../contacts/contact-index.js';
import { ContactIndexModule } from '../contacts/contact-index.module.js';
import { Database } from '../database/database.js';
import { Metrics } from '../metrics/metrics.js';
import { ContactOwners } from './contact-owners.js';

/** Joins calls with contacts: neither knows the other. Global, because calls ask for the port alone. */
@Global()
@Module({
  imports: [ContactIndexModule],
  providers: [
    {
      provide: CallerOwners,
      inject: [Database, ContactIndex, Metrics, Log],
      useFactory: ({ source }: Database, index: ContactIndex, metrics: Metrics, log: Log) =>
        new ContactOwners(source, index, metrics, log),
    },
  ],
  exports: [CallerOwners],
})
export class OwnerRoutingModule {}

import { Module } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Log } from '../common/logger.js';
import { Database } from '../database/database.js';
import { ContactIndex } from './contact-index.js';
import { ContactLookup } from './contact-lookup.js';
import { ContactSources } from './contact-sources.js';
import { RemoteNumbers } from './remote-numbers.js';

/** Who has a number. Where nobody provides CRMs, by the index alone. */
@Module({
  providers: [
    {
      provide: ContactIndex,
      inject: [Database],
      useFactory: ({ source }: Database) => new ContactIndex(source),
    },
    {
      provide: RemoteNumbers,
      inject: [Database, Clock],
      useFactory: ({ source }: Database, clock: Clock) => new RemoteNumbers(source, clock),
    },
    {
      provide: ContactLookup,
      inject: [ContactIndex, { token: ContactSources, optional: true }, Log],
      useFactory: (index: ContactIndex, sources: ContactSources | undefined, log: Log) =>
        new ContactLookup(index, sources ?? null, log),
    },
  ],
  exports: [ContactIndex, RemoteNumbers, ContactLookup],
})
export class ContactIndexModule {}

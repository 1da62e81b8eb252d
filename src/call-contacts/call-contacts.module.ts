import { Global, Module } from '@nestjs/common';
import { CallerOwners } from '../calls/caller-owners.js';
import { CallLedger } from '../calls/ledger/call-ledger.js';
import { Clock } from '../common/clock.js';
import { Log } from '../common/logger.js';
import { ContactIndex } from '../contacts/contact-index.js';
import { ContactIndexModule } from '../contacts/contact-index.module.js';
import { PickListener } from '../contacts/pick-listener.js';
import { RemoteNumbers } from '../contacts/remote-numbers.js';
import { Database } from '../database/database.js';
import { Metrics } from '../metrics/metrics.js';
import { ContactOfCall } from './contact-of-call.js';
import { ContactOwners } from './contact-owners.js';

/** Joins calls with contacts: neither knows the other. Global, because each asks for its port alone. */
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
    {
      provide: ContactOfCall,
      inject: [Database, RemoteNumbers, ContactIndex, CallLedger, Clock, Log],
      useFactory: (
        { source }: Database,
        numbers: RemoteNumbers,
        index: ContactIndex,
        ledger: CallLedger,
        clock: Clock,
        log: Log,
      ) => new ContactOfCall(source, numbers, index, ledger, clock, log),
    },
    { provide: PickListener, useExisting: ContactOfCall },
  ],
  exports: [CallerOwners, ContactOfCall, PickListener],
})
export class CallContactsModule {}

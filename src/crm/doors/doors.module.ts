import { Inject, Module, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Log } from '../../common/logger.js';
import { Database } from '../../database/database.js';
import { Metrics } from '../../metrics/metrics.js';
import { CrmClientModule } from '../client/crm-client.module.js';
import { CrmClients } from '../client/crm-clients.js';
import { AgentOfUser, RuledAgentOfUser } from './agent-of-user.js';
import { ContactsNudge, NotifyingNudge } from './contacts-nudge.js';
import { DialTellings } from './dial-tellings.js';
import { DoorMetrics } from './door-metrics.js';
import { DoorRequests } from './door-requests.js';
import { DoorsController } from './doors.controller.js';
import { DoorsService } from './doors.service.js';

/** Of the API part: what CRMs ask of us. Needs a `Dialer`, which the composition gives. */
@Module({
  imports: [CrmClientModule],
  controllers: [DoorsController],
  providers: [
    DoorsService,
    { provide: DoorMetrics, inject: [Metrics], useFactory: (metrics: Metrics) => new DoorMetrics(metrics) },
    { provide: DoorRequests, inject: [Database], useFactory: ({ source }: Database) => new DoorRequests(source) },
    { provide: ContactsNudge, inject: [Database], useFactory: ({ source }: Database) => new NotifyingNudge(source) },
    {
      provide: AgentOfUser,
      inject: [Database, CrmClients],
      useFactory: ({ source }: Database, clients: CrmClients) => new RuledAgentOfUser(source, clients),
    },
    {
      provide: DialTellings,
      inject: [Database, CrmClients, DoorRequests, DoorMetrics, Log],
      useFactory: (
        database: Database,
        clients: CrmClients,
        requests: DoorRequests,
        metrics: DoorMetrics,
        log: Log,
      ): DialTellings => new DialTellings(database, clients, requests, metrics, log),
    },
  ],
})
export class DoorsModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(@Inject(DialTellings) private readonly tellings: DialTellings) {}

  onApplicationBootstrap(): void {
    this.tellings.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.tellings.stop();
  }
}

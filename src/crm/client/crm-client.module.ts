import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { SecretBox } from '../../common/secret-box.js';
import { Database } from '../../database/database.js';
import { EgressModule } from '../../egress/egress.module.js';
import { EgressRules } from '../../egress/egress-rules.js';
import { egressLimits, GuardedClient } from '../../egress/guarded-client.js';
import { CrmAdapters } from '../adapters/crm-adapters.js';
import { QueuesModule } from '../../queues/queues.module.js';
import { RedisLink } from '../../queues/redis-link.js';
import { RateGates } from '../rate/rate-gates.js';
import { SharedLimits } from '../rate/shared-limits.js';
import { newId } from '../../common/ids.js';
import { CrmClients } from './crm-clients.js';
import { tokenRow } from './token-rows.js';

/** A CRM's answer is read whole: a page of contacts is some hundred kB. */
const ANSWER_BYTES = 4 * 2 ** 20;

class CrmHttp extends GuardedClient {}

@Module({
  imports: [EgressModule, QueuesModule],
  providers: [
    { provide: CrmAdapters, useFactory: () => new CrmAdapters() },
    {
      provide: CrmHttp,
      inject: [EgressRules],
      useFactory: (rules: EgressRules) =>
        new CrmHttp(rules, { ...egressLimits, readBytes: ANSWER_BYTES, keepBytes: ANSWER_BYTES }),
    },
    {
      provide: RateGates,
      inject: [RedisLink],
      useFactory: (link: RedisLink) =>
        new RateGates(new SharedLimits({ client: link.client, isReady: () => link.state.status === 'ready' }, newId())),
    },
    {
      provide: CrmClients,
      inject: [CrmAdapters, CrmHttp, SecretBox, Database, RateGates],
      useFactory: (adapters: CrmAdapters, http: CrmHttp, box: SecretBox, database: Database, gates: RateGates) =>
        new CrmClients(adapters, http, box, (connection) => tokenRow(database, box, connection), gates.gateOf),
    },
  ],
  exports: [CrmAdapters, CrmClients],
})
export class CrmClientModule implements OnApplicationShutdown {
  constructor(@Inject(CrmHttp) private readonly http: CrmHttp) {}

  onApplicationShutdown(): Promise<void> {
    return this.http.close();
  }
}

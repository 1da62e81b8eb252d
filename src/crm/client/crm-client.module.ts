import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { SecretBox } from '../../common/secret-box.js';
import { Database } from '../../database/database.js';
import { EgressModule } from '../../egress/egress.module.js';
import { EgressRules } from '../../egress/egress-rules.js';
import { egressLimits, GuardedClient } from '../../egress/guarded-client.js';
import { CrmAdapters } from '../adapters/crm-adapters.js';
import { openGate } from './bounded-client.js';
import { CrmClients } from './crm-clients.js';
import { tokenRow } from './token-rows.js';

/** A CRM's answer is read whole: a page of contacts is some hundred kB. */
const ANSWER_BYTES = 4 * 2 ** 20;

class CrmHttp extends GuardedClient {}

@Module({
  imports: [EgressModule],
  providers: [
    { provide: CrmAdapters, useFactory: () => new CrmAdapters() },
    {
      provide: CrmHttp,
      inject: [EgressRules],
      useFactory: (rules: EgressRules) =>
        new CrmHttp(rules, { ...egressLimits, readBytes: ANSWER_BYTES, keepBytes: ANSWER_BYTES }),
    },
    {
      provide: CrmClients,
      inject: [CrmAdapters, CrmHttp, SecretBox, Database],
      useFactory: (adapters: CrmAdapters, http: CrmHttp, box: SecretBox, database: Database) =>
        new CrmClients(
          adapters,
          http,
          box,
          (connection) => tokenRow(database, box, connection),
          () => openGate,
        ),
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

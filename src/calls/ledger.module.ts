import { Global, Module } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Log } from '../common/logger.js';
import { Database } from '../database/database.js';
import { Notifications } from '../database/notifications.js';
import { Metrics } from '../metrics/metrics.js';
import { CallerOwners } from './caller-owners.js';
import { CallLedger } from './ledger/call-ledger.js';
import { LedgerMetrics } from './ledger/ledger-metrics.js';
import { LedgerStore } from './ledger/ledger-store.js';
import { LineRouting } from './line-routing.js';
import { RequestDecisions } from './request-decisions.js';
import { TransferTargets } from './transfer-targets.js';

/** Who writes calls, whom they may go to, and who hears of decisions on them. */
@Global()
@Module({
  providers: [
    { provide: LedgerMetrics, inject: [Metrics], useFactory: (metrics: Metrics) => new LedgerMetrics(metrics) },
    {
      provide: CallLedger,
      inject: [Database, { token: CallerOwners, optional: true }, LedgerMetrics, Clock, Log],
      useFactory: (
        { source }: Database,
        owners: CallerOwners | undefined,
        metrics: LedgerMetrics,
        clock: Clock,
        log: Log,
      ) => new CallLedger(new LedgerStore(source), new LineRouting(source, owners ?? null), metrics, clock, log),
    },
    TransferTargets,
    {
      provide: RequestDecisions,
      inject: [Notifications],
      useFactory: (notifications: Notifications) => new RequestDecisions(notifications),
    },
  ],
  exports: [CallLedger, RequestDecisions, TransferTargets],
})
export class LedgerModule {}

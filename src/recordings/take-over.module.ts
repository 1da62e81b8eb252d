import { Inject, Module, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { CallLedger } from '../calls/ledger/call-ledger.js';
import { Log } from '../common/logger.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { HealthParts } from '../health/health-parts.js';
import { Metrics } from '../metrics/metrics.js';
import { RecordedFiles } from './recorded-files.js';
import { RecordingMetrics } from './recording-metrics.js';
import { RecordingStorage } from './recording-storage.js';
import { RecordingStore } from './recording-store.js';
import { StorageSweep } from './storage-sweep.js';
import { StorageModule } from './storage.module.js';
import { TakeOver, takeOverLimits } from './take-over.js';

/** Of the telephony part: brings recordings from the switches into our storage, and keeps that tidy. */
@Module({
  imports: [StorageModule],
  providers: [
    {
      provide: RecordingStore,
      inject: [Database],
      useFactory: ({ source }: Database) => new RecordingStore(source, takeOverLimits.claimSeconds),
    },
    {
      provide: TakeOver,
      inject: [Database, RecordingStore, RecordedFiles, RecordingStorage, CallLedger, Config, Metrics, Log],
      useFactory: (
        database: Database,
        store: RecordingStore,
        files: RecordedFiles,
        storage: RecordingStorage,
        ledger: CallLedger,
        { recordingRetrySeconds }: Config,
        metrics: Metrics,
        log: Log,
      ) =>
        new TakeOver(
          database,
          store,
          files,
          storage,
          ledger,
          recordingRetrySeconds,
          new RecordingMetrics(metrics),
          log,
        ),
    },
    {
      provide: StorageSweep,
      inject: [Database, RecordingStore, RecordingStorage, Log],
      useFactory: (database: Database, store: RecordingStore, storage: RecordingStorage, log: Log) =>
        new StorageSweep(database, store, storage, log),
    },
  ],
  exports: [TakeOver],
})
export class TakeOverModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    @Inject(TakeOver) private readonly takeOver: TakeOver,
    @Inject(StorageSweep) private readonly sweep: StorageSweep,
    @Inject(HealthParts) health: HealthParts,
  ) {
    health.register(() => [this.takeOver.health()]);
  }

  onApplicationBootstrap(): void {
    this.takeOver.start();
    this.sweep.start();
  }

  // Before the database, the ledger and the sessions to the switches are let go.
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all([this.takeOver.stop(), this.sweep.stop()]);
  }
}

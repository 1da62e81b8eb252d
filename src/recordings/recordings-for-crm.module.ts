import { Module } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { SecretBox } from '../common/secret-box.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { AuditLog } from '../tenancy/audit-log.js';
import { RecordingStorage } from './recording-storage.js';
import { RecordingsForCrm } from './recordings-for-crm.js';
import { StorageModule } from './storage.module.js';

/** Of the worker part, which has no ledger. */
@Module({
  imports: [StorageModule],
  providers: [
    {
      provide: RecordingsForCrm,
      inject: [Database, RecordingStorage, SecretBox, Clock, Config],
      useFactory: (database: Database, storage: RecordingStorage, secrets: SecretBox, clock: Clock, config: Config) =>
        new RecordingsForCrm(database, storage, secrets, new AuditLog(clock), config.http.publicUrl),
    },
  ],
  exports: [RecordingsForCrm],
})
export class RecordingsForCrmModule {}

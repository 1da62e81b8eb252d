import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { Config } from '../config/config.js';
import { DiskStorage } from './disk-storage.js';
import { RecordingStorage } from './recording-storage.js';

/** Where recordings are kept: `DATA_DIR/recordings`. */
@Module({
  providers: [
    {
      provide: RecordingStorage,
      inject: [Config],
      useFactory: ({ dataDir }: Config) => new DiskStorage(join(dataDir, 'recordings')),
    },
  ],
  exports: [RecordingStorage],
})
export class StorageModule {}

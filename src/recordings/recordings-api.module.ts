import { Module } from '@nestjs/common';
import { RecordingLinks } from './recording-links.js';
import { RecordingLinksController } from './recording-links.controller.js';
import { RecordingsController } from './recordings.controller.js';
import { RecordingsService } from './recordings.service.js';
import { StorageModule } from './storage.module.js';

/** The API of recordings. Needs the ledger, which the telephony part brings. */
@Module({
  imports: [StorageModule],
  controllers: [RecordingsController, RecordingLinksController],
  providers: [RecordingsService, RecordingLinks],
})
export class RecordingsApiModule {}

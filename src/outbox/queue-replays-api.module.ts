import { Module } from '@nestjs/common';
import { QueueReplaysController } from './queue-replays.controller.js';
import { QueueReplaysService } from './queue-replays.service.js';

/** Of the API part. */
@Module({ controllers: [QueueReplaysController], providers: [QueueReplaysService] })
export class QueueReplaysApiModule {}

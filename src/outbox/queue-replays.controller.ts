import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ApiAnswer } from '../http/api-answer.js';
import { idPageQuerySchema, pageSchema, type IdPageQuery, type Page } from '../http/paging.js';
import type { PlatformActor } from '../tenancy/actor.js';
import { CurrentActor, RequireScope } from '../tenancy/require-scope.js';
import {
  createQueueReplaySchema,
  queueReplaySchema,
  type CreateQueueReplay,
  type QueueReplayView,
} from './queue-replay.schema.js';
import { QueueReplaysService } from './queue-replays.service.js';

@ApiTags('Event queues')
@RequireScope('platform')
@Controller('v1/event-queue-replays')
export class QueueReplaysController {
  constructor(private readonly replays: QueueReplaysService) {}

  @Get()
  @ApiAnswer({
    operationId: 'listQueueReplays',
    summary: 'List replays of event queues, and how far they are',
    schema: pageSchema('QueueReplayPage', queueReplaySchema),
  })
  list(@Query({ schema: idPageQuerySchema }) query: IdPageQuery): Promise<Page<QueueReplayView>> {
    return this.replays.list(query);
  }

  @Post()
  @ApiAnswer({
    operationId: 'createQueueReplay',
    summary: 'Fill an event queue again with the events of a time',
    description: 'Under the same ids, in the order of time, as fast as the queue’s readers make room.',
    status: 201,
    schema: queueReplaySchema,
    problems: ['not-found'],
  })
  create(
    @CurrentActor() actor: PlatformActor,
    @Body({ schema: createQueueReplaySchema }) body: CreateQueueReplay,
  ): Promise<QueueReplayView> {
    return this.replays.create(actor, body);
  }
}

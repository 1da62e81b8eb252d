import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiAnswer } from '../http/api-answer.js';
import { idSchema } from '../http/id.js';
import { idPageQuerySchema, pageSchema, type IdPageQuery, type Page } from '../http/paging.js';
import type { Actor } from '../tenancy/actor.js';
import { CurrentActor, RequireScope } from '../tenancy/require-scope.js';
import {
  blockedNumberSchema,
  createBlockedNumberSchema,
  updateBlockedNumberSchema,
  type BlockedNumberView,
  type CreateBlockedNumber,
  type UpdateBlockedNumber,
} from './blocked-number.schema.js';
import { BlockedNumbersService } from './blocked-numbers.service.js';

@RequireScope('config')
@Controller('v1/blocked-numbers')
export class BlockedNumbersController {
  constructor(private readonly blockedNumbers: BlockedNumbersService) {}

  @Get()
  @ApiAnswer({
    operationId: 'listBlockedNumbers',
    summary: 'List blocked numbers',
    schema: pageSchema('BlockedNumberPage', blockedNumberSchema),
  })
  list(
    @CurrentActor() actor: Actor,
    @Query({ schema: idPageQuerySchema }) query: IdPageQuery,
  ): Promise<Page<BlockedNumberView>> {
    return this.blockedNumbers.list(actor, query);
  }

  @Post()
  @ApiAnswer({
    operationId: 'createBlockedNumber',
    summary: 'Block a number, or all that begin alike',
    description:
      'From the next call on: who calls from there is refused and no phone rings (outcome `blocked`), and a click-to-call there is refused. Extensions are never blocked.',
    status: 201,
    schema: blockedNumberSchema,
    problems: ['conflict'],
  })
  create(
    @CurrentActor() actor: Actor,
    @Body({ schema: createBlockedNumberSchema }) body: CreateBlockedNumber,
  ): Promise<BlockedNumberView> {
    return this.blockedNumbers.create(actor, body);
  }

  @Get(':id')
  @ApiAnswer({ operationId: 'getBlockedNumber', summary: 'Get a blocked number', schema: blockedNumberSchema })
  get(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<BlockedNumberView> {
    return this.blockedNumbers.get(actor, id);
  }

  @Patch(':id')
  @ApiAnswer({
    operationId: 'updateBlockedNumber',
    summary: 'Change a blocked number',
    schema: blockedNumberSchema,
    problems: ['conflict'],
  })
  update(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: updateBlockedNumberSchema }) body: UpdateBlockedNumber,
  ): Promise<BlockedNumberView> {
    return this.blockedNumbers.update(actor, id, body);
  }

  @Delete(':id')
  @ApiAnswer({ operationId: 'removeBlockedNumber', summary: 'Unblock', status: 204 })
  remove(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<void> {
    return this.blockedNumbers.remove(actor, id);
  }
}

import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiAnswer } from '../http/api-answer.js';
import { idSchema } from '../http/id.js';
import { idPageQuerySchema, pageSchema, type IdPageQuery, type Page } from '../http/paging.js';
import type { Actor } from '../tenancy/actor.js';
import { CurrentActor, RequireScope } from '../tenancy/require-scope.js';
import {
  lineSchema,
  createLineSchema,
  updateLineSchema,
  type LineView,
  type CreateLine,
  type UpdateLine,
} from './line.schema.js';
import { LinesService } from './lines.service.js';

@RequireScope('config')
@Controller('v1/lines')
export class LinesController {
  constructor(private readonly lines: LinesService) {}

  @Get()
  @ApiAnswer({ operationId: 'listLines', summary: 'List lines', schema: pageSchema('LinePage', lineSchema) })
  list(
    @CurrentActor() actor: Actor,
    @Query({ schema: idPageQuerySchema }) query: IdPageQuery,
  ): Promise<Page<LineView>> {
    return this.lines.list(actor, query);
  }

  @Post()
  @ApiAnswer({
    operationId: 'createLine',
    summary: 'Create a line',
    status: 201,
    schema: lineSchema,
    problems: ['conflict', 'not-found'],
  })
  create(@CurrentActor() actor: Actor, @Body({ schema: createLineSchema }) body: CreateLine): Promise<LineView> {
    return this.lines.create(actor, body);
  }

  @Get(':id')
  @ApiAnswer({ operationId: 'getLine', summary: 'Get a line', schema: lineSchema })
  get(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<LineView> {
    return this.lines.get(actor, id);
  }

  @Patch(':id')
  @ApiAnswer({
    operationId: 'updateLine',
    summary: 'Change a line',
    description: 'A `did` that was never set follows the number.',
    schema: lineSchema,
    problems: ['conflict'],
  })
  update(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: updateLineSchema }) body: UpdateLine,
  ): Promise<LineView> {
    return this.lines.update(actor, id, body);
  }

  @Delete(':id')
  @ApiAnswer({ operationId: 'removeLine', summary: 'Remove a line', status: 204 })
  remove(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<void> {
    return this.lines.remove(actor, id);
  }
}

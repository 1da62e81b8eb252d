import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ApiAnswer } from '../../http/api-answer.js';
import { idSchema } from '../../http/id.js';
import { idPageQuerySchema, pageSchema, type IdPageQuery, type Page } from '../../http/paging.js';
import type { Actor } from '../../tenancy/actor.js';
import { CurrentActor, RequireScope } from '../../tenancy/require-scope.js';
import {
  createCrmConnectionSchema,
  createdCrmConnectionSchema,
  crmAdaptersSchema,
  crmConnectionSchema,
  crmConnectionTestSchema,
  rotatedDoorSchema,
  updateCrmConnectionSchema,
  type CreateCrmConnection,
  type CreatedCrmConnection,
  type CrmAdaptersView,
  type CrmConnectionTest,
  type CrmConnectionView,
  type RotatedDoor,
  type UpdateCrmConnection,
} from './crm-connection.schema.js';
import { CrmConnectionsService } from './crm-connections.service.js';

@ApiTags('CRM')
@RequireScope('config')
@Controller('v1')
export class CrmConnectionsController {
  constructor(private readonly connections: CrmConnectionsService) {}

  @Get('crm-adapters')
  @ApiAnswer({
    operationId: 'listCrmAdapters',
    summary: 'List the CRMs that can be connected, and the settings each needs',
    schema: crmAdaptersSchema,
  })
  listAdapters(): CrmAdaptersView {
    return this.connections.listAdapters();
  }

  @Get('crm-connections')
  @ApiAnswer({
    operationId: 'listCrmConnections',
    summary: 'List CRM connections',
    schema: pageSchema('CrmConnectionPage', crmConnectionSchema),
  })
  list(
    @CurrentActor() actor: Actor,
    @Query({ schema: idPageQuerySchema }) query: IdPageQuery,
  ): Promise<Page<CrmConnectionView>> {
    return this.connections.list(actor, query);
  }

  @Post('crm-connections')
  @ApiAnswer({
    operationId: 'createCrmConnection',
    summary: 'Connect a CRM',
    description:
      'From now on its door takes clicks, and each call is told to it. Calls of the past are told by a backfill.',
    status: 201,
    schema: createdCrmConnectionSchema,
    problems: ['unsafe-url'],
  })
  create(
    @CurrentActor() actor: Actor,
    @Body({ schema: createCrmConnectionSchema }) body: CreateCrmConnection,
  ): Promise<CreatedCrmConnection> {
    return this.connections.create(actor, body);
  }

  @Get('crm-connections/:id')
  @ApiAnswer({ operationId: 'getCrmConnection', summary: 'Get a CRM connection', schema: crmConnectionSchema })
  get(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<CrmConnectionView> {
    return this.connections.get(actor, id);
  }

  @Patch('crm-connections/:id')
  @ApiAnswer({
    operationId: 'updateCrmConnection',
    summary: 'Change, pause or enable a CRM connection',
    description: 'Secret settings that are not sent stay as they are.',
    schema: crmConnectionSchema,
    problems: ['unsafe-url'],
  })
  update(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: updateCrmConnectionSchema }) body: UpdateCrmConnection,
  ): Promise<CrmConnectionView> {
    return this.connections.update(actor, id, body);
  }

  @Delete('crm-connections/:id')
  @ApiAnswer({
    operationId: 'deleteCrmConnection',
    summary: 'Disconnect a CRM',
    description: 'What the CRM has stays there.',
    status: 204,
  })
  remove(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<void> {
    return this.connections.remove(actor, id);
  }

  @Post('crm-connections/:id/rotate-door')
  @ApiAnswer({
    operationId: 'rotateCrmDoor',
    summary: 'Make a new address for the CRM’s requests; the one before opens nothing any more',
    schema: rotatedDoorSchema,
  })
  rotateDoor(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<RotatedDoor> {
    return this.connections.rotateDoor(actor, id);
  }

  @Post('crm-connections/:id/test')
  @ApiAnswer({
    operationId: 'testCrmConnection',
    summary: 'Ask the CRM for something small, and tell what came of it',
    schema: crmConnectionTestSchema,
  })
  test(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<CrmConnectionTest> {
    return this.connections.test(actor, id);
  }
}

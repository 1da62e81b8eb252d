import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ApiAnswer } from '../../http/api-answer.js';
import { idSchema } from '../../http/id.js';
import { idPageQuerySchema, pageSchema, type IdPageQuery, type Page } from '../../http/paging.js';
import type { Actor } from '../../tenancy/actor.js';
import { CurrentActor, RequireScope } from '../../tenancy/require-scope.js';
import {
  callCrmSchema,
  callCrmsSchema,
  crmBackfilledSchema,
  crmBackfillSchema,
  crmFailureSchema,
  type CallCrmsView,
  type CallCrmView,
  type CrmBackfill,
  type CrmBackfilled,
  type CrmFailureView,
} from './call-crm.schema.js';
import { CrmSyncsService } from './crm-syncs.service.js';

@ApiTags('CRM')
@Controller('v1')
export class CrmSyncsController {
  constructor(private readonly syncs: CrmSyncsService) {}

  @Get('calls/:id/crm')
  @RequireScope('calls:read')
  @ApiAnswer({
    operationId: 'getCallCrm',
    summary: 'Tell what each CRM has of a call, and why one does not take it',
    schema: callCrmsSchema,
  })
  ofCall(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<CallCrmsView> {
    return this.syncs.ofCall(actor, id);
  }

  @Post('calls/:id/crm/:connectionId/retry')
  @RequireScope('calls:write')
  @ApiAnswer({
    operationId: 'retryCallCrm',
    summary: 'Have a call told to a CRM now',
    description:
      'Whatever its state is, and however long it would wait. It answers with how things stand before; ask again to see what came of it.',
    status: 202,
    schema: callCrmSchema,
  })
  retry(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: idSchema }) id: string,
    @Param('connectionId', { schema: idSchema }) connectionId: string,
  ): Promise<CallCrmView> {
    return this.syncs.retry(actor, id, connectionId);
  }

  @Post('crm-connections/:id/backfill')
  @RequireScope('config')
  @ApiAnswer({
    operationId: 'backfillCrm',
    summary: 'Tell a CRM of calls of the past',
    description:
      'Those that have ended and that it does not have, or did not take, behind all that happens now. A connection that is paused or disabled gets them once it is enabled. Of calls that are over for more than a day no lead, contact or task is made.',
    status: 202,
    schema: crmBackfilledSchema,
  })
  backfill(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: crmBackfillSchema }) body: CrmBackfill,
  ): Promise<CrmBackfilled> {
    return this.syncs.backfill(actor, id, body);
  }

  @Get('crm-connections/:id/failures')
  @RequireScope('config')
  @ApiAnswer({
    operationId: 'listCrmFailures',
    summary: 'List calls that a CRM does not take, the newest first',
    schema: pageSchema('CrmFailurePage', crmFailureSchema),
  })
  failures(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: idSchema }) id: string,
    @Query({ schema: idPageQuerySchema }) query: IdPageQuery,
  ): Promise<Page<CrmFailureView>> {
    return this.syncs.failures(actor, id, query);
  }
}

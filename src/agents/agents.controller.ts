import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiAnswer } from '../http/api-answer.js';
import { idSchema } from '../http/id.js';
import { idPageQuerySchema, pageSchema, type IdPageQuery, type Page } from '../http/paging.js';
import type { Actor } from '../tenancy/actor.js';
import { CurrentActor, RequireScope } from '../tenancy/require-scope.js';
import {
  agentSchema,
  createAgentSchema,
  updateAgentSchema,
  type AgentView,
  type CreateAgent,
  type UpdateAgent,
} from './agent.schema.js';
import { AgentsService } from './agents.service.js';

@RequireScope('config')
@Controller('v1/agents')
export class AgentsController {
  constructor(private readonly agents: AgentsService) {}

  @Get()
  @ApiAnswer({ operationId: 'listAgents', summary: 'List agents', schema: pageSchema('AgentPage', agentSchema) })
  list(
    @CurrentActor() actor: Actor,
    @Query({ schema: idPageQuerySchema }) query: IdPageQuery,
  ): Promise<Page<AgentView>> {
    return this.agents.list(actor, query);
  }

  @Post()
  @ApiAnswer({
    operationId: 'createAgent',
    summary: 'Create an agent',
    status: 201,
    schema: agentSchema,
    problems: ['conflict', 'not-found', 'invalid-number', 'number-blocked'],
  })
  create(@CurrentActor() actor: Actor, @Body({ schema: createAgentSchema }) body: CreateAgent): Promise<AgentView> {
    return this.agents.create(actor, body);
  }

  @Get(':id')
  @ApiAnswer({ operationId: 'getAgent', summary: 'Get an agent', schema: agentSchema })
  get(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<AgentView> {
    return this.agents.get(actor, id);
  }

  @Patch(':id')
  @ApiAnswer({
    operationId: 'updateAgent',
    summary: 'Change an agent',
    description: 'A list of devices replaces the one before, in the order that is sent.',
    schema: agentSchema,
    problems: ['conflict', 'invalid-number', 'number-blocked'],
  })
  update(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: updateAgentSchema }) body: UpdateAgent,
  ): Promise<AgentView> {
    return this.agents.update(actor, id, body);
  }

  @Delete(':id')
  @ApiAnswer({
    operationId: 'removeAgent',
    summary: 'Remove an agent that no line rings',
    status: 204,
    problems: ['conflict'],
  })
  remove(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<void> {
    return this.agents.remove(actor, id);
  }
}

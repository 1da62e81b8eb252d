import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiAnswer } from '../http/api-answer.js';
import { idSchema } from '../http/id.js';
import { idPageQuerySchema, pageSchema, type IdPageQuery, type Page } from '../http/paging.js';
import type { PlatformActor } from '../tenancy/actor.js';
import { CurrentActor, RequireScope } from '../tenancy/require-scope.js';
import { nodeHealthSchema, type NodeHealth } from './node-health.js';
import {
  createPbxNodeSchema,
  pbxNodeSchema,
  updatePbxNodeSchema,
  type CreatePbxNode,
  type PbxNodeView,
  type UpdatePbxNode,
} from './pbx-node.schema.js';
import { PbxNodesService } from './pbx-nodes.service.js';

@RequireScope('platform')
@Controller('v1/pbx-nodes')
export class PbxNodesController {
  constructor(private readonly nodes: PbxNodesService) {}

  @Get()
  @ApiAnswer({
    operationId: 'listPbxNodes',
    summary: 'List PBX nodes',
    schema: pageSchema('PbxNodePage', pbxNodeSchema),
  })
  list(@Query({ schema: idPageQuerySchema }) query: IdPageQuery): Promise<Page<PbxNodeView>> {
    return this.nodes.list(query);
  }

  @Post()
  @ApiAnswer({
    operationId: 'createPbxNode',
    summary: 'Add a PBX node',
    description: 'Ringline connects to it at once and keeps trying; see its health.',
    status: 201,
    schema: pbxNodeSchema,
    problems: ['conflict', 'not-found'],
  })
  create(
    @CurrentActor() actor: PlatformActor,
    @Body({ schema: createPbxNodeSchema }) body: CreatePbxNode,
  ): Promise<PbxNodeView> {
    return this.nodes.create(actor, body);
  }

  @Get(':id')
  @ApiAnswer({ operationId: 'getPbxNode', summary: 'Get a PBX node', schema: pbxNodeSchema })
  get(@Param('id', { schema: idSchema }) id: string): Promise<PbxNodeView> {
    return this.nodes.get(id);
  }

  @Get(':id/health')
  @ApiAnswer({
    operationId: 'getPbxNodeHealth',
    summary: 'How the connection to a PBX node is, and what to do about it',
    schema: nodeHealthSchema,
  })
  health(@Param('id', { schema: idSchema }) id: string): Promise<NodeHealth> {
    return this.nodes.health(id);
  }

  @Patch(':id')
  @ApiAnswer({
    operationId: 'updatePbxNode',
    summary: 'Change a PBX node',
    schema: pbxNodeSchema,
    problems: ['conflict'],
  })
  update(
    @CurrentActor() actor: PlatformActor,
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: updatePbxNodeSchema }) body: UpdatePbxNode,
  ): Promise<PbxNodeView> {
    return this.nodes.update(actor, id, body);
  }

  @Delete(':id')
  @ApiAnswer({
    operationId: 'removePbxNode',
    summary: 'Remove a PBX node that nothing refers to',
    status: 204,
    problems: ['conflict'],
  })
  remove(@CurrentActor() actor: PlatformActor, @Param('id', { schema: idSchema }) id: string): Promise<void> {
    return this.nodes.remove(actor, id);
  }
}

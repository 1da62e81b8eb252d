import { Body, Controller, Param, Post } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { Problem } from '../common/problems.js';
import { ApiAnswer } from '../http/api-answer.js';
import { idSchema } from '../http/id.js';
import type { PlatformActor } from '../tenancy/actor.js';
import { CurrentActor, RequireScope } from '../tenancy/require-scope.js';
import { CelIntake } from './cel-intake.js';
import { celAnswerSchema, celLinesSchema, type CelAnswer, type CelLines } from './cel.schema.js';
import { PbxNodesService } from './pbx-nodes.service.js';

@RequireScope('cel:write')
@Controller('v1/pbx-nodes')
export class CelController {
  constructor(
    private readonly nodes: PbxNodesService,
    private readonly modules: ModuleRef,
  ) {}

  @Post(':id/cel')
  @ApiAnswer({
    operationId: 'sendCel',
    summary: 'Send lines of the channel event log of an Asterisk on another host',
    description:
      'For a key of the scope `cel:write`, which is bound to one PBX node. At most 1,000 lines and 1 MB a request, one request at a time. Answered when what the lines tell is stored; `npm run ship-cel` sends a file so.',
    schema: celAnswerSchema,
    problems: ['cel-not-taken', 'cel-busy'],
  })
  async send(
    @CurrentActor() actor: PlatformActor,
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: celLinesSchema }) { lines }: CelLines,
  ): Promise<CelAnswer> {
    if (actor.pbxNodeId !== null && actor.pbxNodeId !== id) {
      throw new Problem('not-found', { detail: 'There is no such PBX node for this key.', field: 'id' });
    }
    await this.nodes.assertThere(id);
    return this.modules.get(CelIntake, { strict: false }).takeCel(id, lines);
  }
}

import { Controller, Headers, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { uuidPattern } from '../common/ids.js';
import { Problem } from '../common/problems.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { Public } from '../tenancy/require-scope.js';
import { OpenCalls } from './open-calls.js';
import { assertOrigin } from './origin.js';
import { PopLatency } from './pop-latency.js';
import { StreamTokens } from './stream-tokens.js';

@ApiTags('Stream')
@Public()
@Controller('v1/pops')
export class PopsController {
  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly tokens: StreamTokens,
    private readonly openCalls: OpenCalls,
    private readonly latency: PopLatency,
  ) {}

  @Post(':id/ack')
  @HttpCode(204)
  @ApiOperation({ operationId: 'ackPop', summary: 'Say that the browser has painted a pop; may be repeated' })
  @ApiBearerAuth('streamToken')
  @ApiNoContentResponse()
  async ack(
    @Param('id') id: string,
    @Headers('authorization') authorization: string | undefined,
    @Headers('origin') origin: string | undefined,
  ): Promise<void> {
    this.database.assertReady();
    const grant = await this.tokens.verify(/^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '');
    assertOrigin(origin, grant.origin, this.config.http);
    const popId = id.toLowerCase();
    const known = uuidPattern.test(popId) && (await this.openCalls.hasPop(grant.tenantId, grant.agentId, popId));
    if (!known) throw new Problem('not-found', { detail: 'The agent was never shown a pop with this id.' });
    this.latency.painted(popId);
  }
}

import { Controller, Headers, Param, Post } from '@nestjs/common';
import { ApiSecurity } from '@nestjs/swagger';
import { Problem } from '../common/problems.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { ApiAnswer } from '../http/api-answer.js';
import { idSchema } from '../http/id.js';
import { Public } from '../tenancy/require-scope.js';
import { OpenCalls } from './open-calls.js';
import { assertOrigin } from './origin.js';
import { PopLatency } from './pop-latency.js';
import { StreamTokens } from './stream-tokens.js';

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
  @ApiSecurity('streamToken')
  @ApiAnswer({
    operationId: 'ackPop',
    summary: 'Say that the browser has painted a pop',
    description: 'May be repeated. The stream token is the Bearer token.',
    status: 204,
    problems: ['token-invalid', 'origin-mismatch', 'database-unavailable', 'shutting-down'],
  })
  async ack(
    @Param('id', { schema: idSchema }) popId: string,
    @Headers('authorization') authorization: string | undefined,
    @Headers('origin') origin: string | undefined,
  ): Promise<void> {
    this.database.assertReady();
    const grant = await this.tokens.verify(/^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '');
    assertOrigin(origin, grant.origin, this.config.http);
    if (!(await this.openCalls.hasPop(grant.tenantId, grant.agentId, popId))) {
      throw new Problem('not-found', { detail: 'The agent was never shown a pop with this id.' });
    }
    this.latency.painted(popId);
  }
}

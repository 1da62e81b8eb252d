import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Clock } from '../common/clock.js';
import { Problem } from '../common/problems.js';
import { Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { ApiProblems } from '../http/api-answer.js';
import { Public } from '../tenancy/require-scope.js';
import { AgentStream } from './agent-stream.js';
import { OpenCalls } from './open-calls.js';
import { OpeningQueue } from './opening-queue.js';
import { OpenStreams } from './open-streams.js';
import { assertOrigin } from './origin.js';
import { StreamConnection } from './stream-connection.js';
import { StreamLimits } from './stream-limits.js';
import { openStreamSchema, type OpenStream } from './stream-tokens.schema.js';
import { StreamTokens } from './stream-tokens.js';

@Public()
@Controller('v1/stream')
export class StreamController {
  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly tokens: StreamTokens,
    private readonly openCalls: OpenCalls,
    private readonly queue: OpeningQueue,
    private readonly streams: OpenStreams,
    private readonly limits: StreamLimits,
    private readonly clock: Clock,
  ) {}

  @Get()
  @ApiOperation({
    operationId: 'openStream',
    summary: 'An agent’s calls and pops as server-sent events',
    description: 'Events `snapshot`, `call`, `pop`, `token`; see docs/stream.md.',
  })
  @ApiOkResponse({ description: 'The stream', content: { 'text/event-stream': { schema: { type: 'string' } } } })
  @ApiProblems('token-invalid', 'origin-mismatch', 'too-many-streams', 'database-unavailable', 'shutting-down')
  async open(
    @Query({ schema: openStreamSchema }) { token }: OpenStream,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    // Express answers HEAD by the route of GET; this one would never end.
    if (request.method !== 'GET') throw new Problem('method-not-allowed', { detail: 'The stream takes GET only.' });
    this.database.assertReady();
    await this.queue.run(() => this.#open(token, request, response));
  }

  async #open(token: string, request: Request, response: Response): Promise<void> {
    if (isGone(response)) return;
    const grant = await this.tokens.verify(token);
    if (isGone(response)) return;
    assertOrigin(request.headers.origin, grant.origin, this.config.http);
    const connection = new StreamConnection(response, this.limits, this.clock);
    const stream = new AgentStream(connection, grant);
    response.once('close', () => this.streams.remove(stream));
    // Before the calls are read: what is committed from here on is held back and shown after them.
    this.streams.add(stream);
    const snapshot = await this.openCalls.snapshot(grant.tenantId, grant.agentId);
    if (isGone(response)) return;
    if (connection.cutFor === 'stopping') throw new Problem('shutting-down', { detail: 'This process is stopping.' });
    if (connection.cutFor !== null) {
      throw new Problem('token-invalid', { detail: 'The stream token was revoked.', field: 'token' });
    }
    stream.open(snapshot, 500 + Math.random() * this.limits.reconnectSpreadMs);
  }
}

/** The browser has left, or was turned away because this took too long. */
function isGone(response: Response): boolean {
  return response.destroyed || response.headersSent;
}

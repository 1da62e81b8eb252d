import { Body, Controller, Delete, Post, Query } from '@nestjs/common';
import { ApiAnswer } from '../http/api-answer.js';
import type { Actor } from '../tenancy/actor.js';
import { CurrentActor, RequireScope } from '../tenancy/require-scope.js';
import { OpenStreams } from './open-streams.js';
import {
  issueStreamTokenSchema,
  revokeStreamTokensSchema,
  streamTokenSchema,
  type IssueStreamToken,
  type RevokeStreamTokens,
  type StreamTokenView,
} from './stream-tokens.schema.js';
import { StreamTokens } from './stream-tokens.js';

@RequireScope('stream:issue')
@Controller('v1/stream-tokens')
export class StreamTokensController {
  constructor(
    private readonly tokens: StreamTokens,
    private readonly streams: OpenStreams,
  ) {}

  @Post()
  @ApiAnswer({
    operationId: 'issueStreamToken',
    summary: 'Give an agent’s browser the right to open the stream',
    status: 201,
    schema: streamTokenSchema,
  })
  issue(
    @CurrentActor() { tenantId, keyId }: Actor,
    @Body({ schema: issueStreamTokenSchema }) { agentId, origin }: IssueStreamToken,
  ): Promise<StreamTokenView> {
    return this.tokens.issue({ tenantId, apiKeyId: keyId, agentId, origin: origin ?? null });
  }

  @Delete()
  @ApiAnswer({
    operationId: 'revokeStreamTokens',
    summary: 'Revoke all stream tokens of an agent and end its streams',
    status: 204,
  })
  async revoke(
    @CurrentActor() { tenantId, keyId }: Actor,
    @Query({ schema: revokeStreamTokensSchema }) { agentId }: RevokeStreamTokens,
  ): Promise<void> {
    await this.tokens.revoke({ tenantId, apiKeyId: keyId, agentId });
    this.streams.cutAgent(tenantId, agentId, 'revoked');
  }
}

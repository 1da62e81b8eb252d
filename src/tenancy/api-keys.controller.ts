import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiAnswer } from '../http/api-answer.js';
import { idSchema } from '../http/id.js';
import { pageSchema, type Page } from '../http/paging.js';
import type { PlatformActor } from './actor.js';
import {
  apiKeyPageQuerySchema,
  apiKeySchema,
  createApiKeySchema,
  createdApiKeySchema,
  updateApiKeySchema,
  type ApiKeyPageQuery,
  type ApiKeyView,
  type CreateApiKey,
  type CreatedApiKey,
  type UpdateApiKey,
} from './api-key.schema.js';
import { ApiKeysService } from './api-keys.service.js';
import { CurrentActor, RequireScope } from './require-scope.js';

@RequireScope('platform')
@Controller('v1/api-keys')
export class ApiKeysController {
  constructor(private readonly keys: ApiKeysService) {}

  @Get()
  @ApiAnswer({
    operationId: 'listApiKeys',
    summary: 'List API keys that are not revoked',
    schema: pageSchema('ApiKeyPage', apiKeySchema),
  })
  list(@Query({ schema: apiKeyPageQuerySchema }) query: ApiKeyPageQuery): Promise<Page<ApiKeyView>> {
    return this.keys.list(query);
  }

  @Post()
  @ApiAnswer({
    operationId: 'createApiKey',
    summary: 'Create an API key',
    description: 'The secret is in this answer and nowhere else.',
    status: 201,
    schema: createdApiKeySchema,
    problems: ['not-found'],
  })
  create(
    @CurrentActor() actor: PlatformActor,
    @Body({ schema: createApiKeySchema }) body: CreateApiKey,
  ): Promise<CreatedApiKey> {
    return this.keys.create(actor, body);
  }

  @Get(':id')
  @ApiAnswer({ operationId: 'getApiKey', summary: 'Get an API key', schema: apiKeySchema })
  get(@Param('id', { schema: idSchema }) id: string): Promise<ApiKeyView> {
    return this.keys.get(id);
  }

  @Patch(':id')
  @ApiAnswer({
    operationId: 'updateApiKey',
    summary: 'Change the name or the scopes of an API key',
    description: 'Every process knows new scopes within 5 s.',
    schema: apiKeySchema,
  })
  update(
    @CurrentActor() actor: PlatformActor,
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: updateApiKeySchema }) body: UpdateApiKey,
  ): Promise<ApiKeyView> {
    return this.keys.update(actor, id, body);
  }

  @Delete(':id')
  @ApiAnswer({
    operationId: 'revokeApiKey',
    summary: 'Revoke an API key',
    description: 'It is refused everywhere within 5 s. The last platform key cannot be revoked.',
    status: 204,
    problems: ['conflict'],
  })
  revoke(@CurrentActor() actor: PlatformActor, @Param('id', { schema: idSchema }) id: string): Promise<void> {
    return this.keys.revoke(actor, id);
  }
}

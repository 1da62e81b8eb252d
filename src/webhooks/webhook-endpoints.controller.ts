import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { callEventSchema } from '../calls/domain/call-event.js';
import { ApiAnswer, ApiSends } from '../http/api-answer.js';
import { idSchema } from '../http/id.js';
import { idPageQuerySchema, pageSchema, type IdPageQuery, type Page } from '../http/paging.js';
import type { Actor } from '../tenancy/actor.js';
import { CurrentActor, RequireScope } from '../tenancy/require-scope.js';
import { DeliveriesService } from './deliveries.service.js';
import { EndpointTests } from './endpoint-tests.service.js';
import { endpointEventSchema } from './endpoint-event.js';
import {
  createWebhookEndpointSchema,
  createdWebhookEndpointSchema,
  deliverySchema,
  listDeliveriesQuerySchema,
  replaySchema,
  replayedSchema,
  rotatedSecretSchema,
  updateWebhookEndpointSchema,
  webhookEndpointSchema,
  webhookTestSchema,
  type CreateWebhookEndpoint,
  type CreatedWebhookEndpoint,
  type DeliveryView,
  type ListDeliveriesQuery,
  type Replay,
  type ReplayedView,
  type RotatedSecret,
  type UpdateWebhookEndpoint,
  type WebhookEndpointView,
  type WebhookTestView,
} from './webhook-endpoint.schema.js';
import { WebhookEndpointsService } from './webhook-endpoints.service.js';

@ApiTags('Webhooks')
@RequireScope('webhooks')
@Controller('v1/webhook-endpoints')
export class WebhookEndpointsController {
  constructor(
    private readonly endpoints: WebhookEndpointsService,
    private readonly deliveries: DeliveriesService,
    private readonly tests: EndpointTests,
  ) {}

  @Get()
  @ApiAnswer({
    operationId: 'listWebhookEndpoints',
    summary: 'List webhook endpoints',
    schema: pageSchema('WebhookEndpointPage', webhookEndpointSchema),
  })
  list(
    @CurrentActor() actor: Actor,
    @Query({ schema: idPageQuerySchema }) query: IdPageQuery,
  ): Promise<Page<WebhookEndpointView>> {
    return this.endpoints.list(actor, query);
  }

  @Post()
  @ApiAnswer({
    operationId: 'createWebhookEndpoint',
    summary: 'Create a webhook endpoint',
    description: 'From now on it gets the events of every call of the tenant. The secret is in this answer only.',
    status: 201,
    schema: createdWebhookEndpointSchema,
    problems: ['unsafe-url'],
  })
  @ApiSends(
    { name: 'CallEvent', summary: 'What happened to a call', schema: () => callEventSchema },
    { name: 'EndpointEvent', summary: 'What became of a webhook endpoint', schema: () => endpointEventSchema },
  )
  create(
    @CurrentActor() actor: Actor,
    @Body({ schema: createWebhookEndpointSchema }) body: CreateWebhookEndpoint,
  ): Promise<CreatedWebhookEndpoint> {
    return this.endpoints.create(actor, body);
  }

  @Get(':id')
  @ApiAnswer({ operationId: 'getWebhookEndpoint', summary: 'Get a webhook endpoint', schema: webhookEndpointSchema })
  get(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<WebhookEndpointView> {
    return this.endpoints.get(actor, id);
  }

  @Patch(':id')
  @ApiAnswer({
    operationId: 'updateWebhookEndpoint',
    summary: 'Change, pause or enable a webhook endpoint',
    schema: webhookEndpointSchema,
    problems: ['unsafe-url'],
  })
  update(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: updateWebhookEndpointSchema }) body: UpdateWebhookEndpoint,
  ): Promise<WebhookEndpointView> {
    return this.endpoints.update(actor, id, body);
  }

  @Delete(':id')
  @ApiAnswer({
    operationId: 'deleteWebhookEndpoint',
    summary: 'Delete a webhook endpoint with its deliveries',
    status: 204,
  })
  remove(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<void> {
    return this.endpoints.remove(actor, id);
  }

  @Post(':id/rotate-secret')
  @ApiAnswer({
    operationId: 'rotateWebhookSecret',
    summary: 'Make a new secret; the one before signs beside it for 24 hours',
    description: 'Rotate twice to end a secret at once that others know.',
    schema: rotatedSecretSchema,
  })
  rotateSecret(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<RotatedSecret> {
    return this.endpoints.rotateSecret(actor, id);
  }

  @Post(':id/test')
  @ApiAnswer({
    operationId: 'testWebhookEndpoint',
    summary: 'Send `endpoint.test` once and tell what came of it',
    description: 'Also to a paused or disabled endpoint, whatever its `eventTypes`. It answers within 16 s.',
    schema: webhookTestSchema,
    problems: ['too-many-tests'],
  })
  test(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<WebhookTestView> {
    return this.tests.run(actor, id);
  }

  @Get(':id/deliveries')
  @ApiAnswer({
    operationId: 'listWebhookDeliveries',
    summary: 'List what was sent to a webhook endpoint, newest first',
    description: 'Dead letters are those with `status=dead`.',
    schema: pageSchema('WebhookDeliveryPage', deliverySchema),
  })
  listDeliveries(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: idSchema }) id: string,
    @Query({ schema: listDeliveriesQuerySchema }) query: ListDeliveriesQuery,
  ): Promise<Page<DeliveryView>> {
    return this.deliveries.list(actor, id, query);
  }

  @Post(':id/replay')
  @ApiAnswer({
    operationId: 'replayWebhooks',
    summary: 'Send again: one delivery, or the events of a time',
    description:
      'Under the same ids, with the header `ringline-replay: true`, in order per call, by a schedule that begins anew. Events that were missed are sent too.',
    schema: replayedSchema,
    problems: ['conflict'],
  })
  replay(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: replaySchema }) body: Replay,
  ): Promise<ReplayedView> {
    return this.deliveries.replay(actor, id, body);
  }
}

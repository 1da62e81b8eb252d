import { Module } from '@nestjs/common';
import { EgressModule } from '../egress/egress.module.js';
import { DeliveriesService } from './deliveries.service.js';
import { EndpointTests } from './endpoint-tests.service.js';
import { WebhookEndpointsController } from './webhook-endpoints.controller.js';
import { WebhookEndpointsService } from './webhook-endpoints.service.js';

/** Of the API part: endpoints and what was sent to them. */
@Module({
  imports: [EgressModule],
  controllers: [WebhookEndpointsController],
  providers: [WebhookEndpointsService, DeliveriesService, EndpointTests],
})
export class WebhooksApiModule {}

import { Module } from '@nestjs/common';
import { CrmClientModule } from './client/crm-client.module.js';
import { CrmConnectionsController } from './connections/crm-connections.controller.js';
import { CrmConnectionsService } from './connections/crm-connections.service.js';

/** Of the API part: connections to CRMs. */
@Module({
  imports: [CrmClientModule],
  controllers: [CrmConnectionsController],
  providers: [CrmConnectionsService],
})
export class CrmApiModule {}

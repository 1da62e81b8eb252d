import { Module } from '@nestjs/common';
import { CrmClientModule } from './client/crm-client.module.js';
import { CrmConnectionsController } from './connections/crm-connections.controller.js';
import { CrmConnectionsService } from './connections/crm-connections.service.js';
import { CrmSyncsController } from './sync/crm-syncs.controller.js';
import { CrmSyncsService } from './sync/crm-syncs.service.js';

/** Of the API part: connections to CRMs, and what these have of calls. */
@Module({
  imports: [CrmClientModule],
  controllers: [CrmConnectionsController, CrmSyncsController],
  providers: [CrmConnectionsService, CrmSyncsService],
})
export class CrmApiModule {}

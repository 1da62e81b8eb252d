import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ApiKeyGuard } from './api-key.guard.js';
import { ApiKeyLookup } from './api-key-lookup.js';
import { ApiKeysController } from './api-keys.controller.js';
import { ApiKeysService } from './api-keys.service.js';
import { AuditLog } from './audit-log.js';
import { BootstrapKey } from './bootstrap-key.js';
import { TenantsController } from './tenants.controller.js';
import { TenantsService } from './tenants.service.js';

/** Tenants, their keys, and who may do what. Global: every feature asks who is asking. */
@Global()
@Module({
  controllers: [TenantsController, ApiKeysController],
  providers: [
    AuditLog,
    ApiKeyLookup,
    BootstrapKey,
    TenantsService,
    ApiKeysService,
    { provide: APP_GUARD, useClass: ApiKeyGuard },
  ],
  exports: [AuditLog, ApiKeyLookup],
})
export class TenancyModule {}

import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ApiKeyGuard } from './api-key.guard.js';
import { ApiKeyLookup } from './api-key-lookup.js';
import { AuditLog } from './audit-log.js';
import { BootstrapKey } from './bootstrap-key.js';

/** Tenants, their keys, and who may do what. Global: every feature asks who is asking. */
@Global()
@Module({
  providers: [AuditLog, ApiKeyLookup, BootstrapKey, { provide: APP_GUARD, useClass: ApiKeyGuard }],
  exports: [AuditLog, ApiKeyLookup],
})
export class TenancyModule {}

import { Global, Module } from '@nestjs/common';
import { DatabaseHealth } from './database-health.js';
import { HealthController } from './health.controller.js';
import { HealthParts } from './health-parts.js';

@Global()
@Module({ controllers: [HealthController], providers: [HealthParts, DatabaseHealth], exports: [HealthParts] })
export class HealthModule {}

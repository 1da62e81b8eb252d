import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiAnswer } from '../http/api-answer.js';
import { idSchema } from '../http/id.js';
import { idPageQuerySchema, pageSchema, type IdPageQuery, type Page } from '../http/paging.js';
import type { PlatformActor } from './actor.js';
import { CurrentActor, RequireScope } from './require-scope.js';
import {
  createTenantSchema,
  tenantSchema,
  updateTenantSchema,
  type CreateTenant,
  type TenantView,
  type UpdateTenant,
} from './tenant.schema.js';
import { TenantsService } from './tenants.service.js';

@RequireScope('platform')
@Controller('v1/tenants')
export class TenantsController {
  constructor(private readonly tenants: TenantsService) {}

  @Get()
  @ApiAnswer({ operationId: 'listTenants', summary: 'List tenants', schema: pageSchema('TenantPage', tenantSchema) })
  list(@Query({ schema: idPageQuerySchema }) query: IdPageQuery): Promise<Page<TenantView>> {
    return this.tenants.list(query);
  }

  @Post()
  @ApiAnswer({ operationId: 'createTenant', summary: 'Create a tenant', status: 201, schema: tenantSchema })
  create(
    @CurrentActor() actor: PlatformActor,
    @Body({ schema: createTenantSchema }) body: CreateTenant,
  ): Promise<TenantView> {
    return this.tenants.create(actor, body);
  }

  @Get(':id')
  @ApiAnswer({ operationId: 'getTenant', summary: 'Get a tenant', schema: tenantSchema })
  get(@Param('id', { schema: idSchema }) id: string): Promise<TenantView> {
    return this.tenants.get(id);
  }

  @Patch(':id')
  @ApiAnswer({ operationId: 'updateTenant', summary: 'Change a tenant', schema: tenantSchema })
  update(
    @CurrentActor() actor: PlatformActor,
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: updateTenantSchema }) body: UpdateTenant,
  ): Promise<TenantView> {
    return this.tenants.update(actor, id, body);
  }

  @Delete(':id')
  @ApiAnswer({
    operationId: 'removeTenant',
    summary: 'Remove a tenant that has nothing left',
    description:
      'Its API keys and its block list go with it. Agents, lines, webhook endpoints and calls keep it from being removed.',
    status: 204,
    problems: ['conflict'],
  })
  remove(@CurrentActor() actor: PlatformActor, @Param('id', { schema: idSchema }) id: string): Promise<void> {
    return this.tenants.remove(actor, id);
  }
}

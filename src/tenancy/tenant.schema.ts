import { z } from 'zod';
import { instantSchema } from '../http/instant.js';
import { idSchema } from '../http/id.js';
import { patchSchema } from '../http/patch.js';
import { plainText } from '../http/plain-text.js';
import { dialRulesSchema } from '../numbers/dial-rules.js';
import { isRegion } from '../numbers/numbering-plan.js';

/** How much a tenant may do. Counted in PostgreSQL, so a lost queue or a restart lifts no limit. */
export const tenantLimitsSchema = z.strictObject({
  concurrentCalls: z.int().min(1).max(10_000).default(10).meta({ description: 'Click-to-calls open at one time.' }),
  callsPerHour: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(500)
    .meta({ description: 'Click-to-calls placed in any 60 minutes.' }),
  callSeconds: z
    .int()
    .min(60)
    .max(86_400)
    .default(7200)
    .meta({ description: 'Longest talk time of one call, seconds; then it is hung up.' }),
});
export type TenantLimits = z.output<typeof tenantLimitsSchema>;

/** How long things are kept, days. */
export const tenantRetentionSchema = z.strictObject({
  callDays: z.int().min(1).max(36_500).default(365),
  attemptDays: z.int().min(1).max(3650).default(30),
  auditDays: z.int().min(1).max(36_500).default(400),
});
export type TenantRetention = z.output<typeof tenantRetentionSchema>;

/** An ISO 3166-1 alpha-2 country that has telephone numbers. */
export const regionSchema = z
  .string()
  .refine((region): boolean => isRegion(region), {
    error: 'must be an ISO 3166 country of two capital letters that has telephone numbers, such as DE',
  })
  .meta({ description: 'ISO 3166 country whose national numbers this tenant writes.', example: 'DE' });

export const createTenantSchema = z
  .strictObject({
    name: plainText(200),
    region: regionSchema,
    dialRules: dialRulesSchema.prefault({}),
    limits: tenantLimitsSchema.prefault({}),
    retention: tenantRetentionSchema.prefault({}),
  })
  .meta({ id: 'CreateTenant' });
export type CreateTenant = z.output<typeof createTenantSchema>;

export const updateTenantSchema = patchSchema('UpdateTenant', createTenantSchema);
export type UpdateTenant = z.output<typeof updateTenantSchema>;

export const tenantSchema = z
  .strictObject({ id: idSchema, ...createTenantSchema.shape, createdAt: instantSchema, updatedAt: instantSchema })
  .meta({ id: 'Tenant' });
export type TenantView = z.output<typeof tenantSchema>;

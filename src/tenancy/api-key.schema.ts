import { z } from 'zod';
import { idSchema } from '../http/id.js';
import { instantSchema } from '../http/instant.js';
import { pageQueryShape } from '../http/paging.js';
import { plainText } from '../http/plain-text.js';
import { scopeSchema } from './scopes.js';

const nameSchema = plainText(200);
const scopesSchema = z
  .array(scopeSchema)
  .min(1)
  .refine((scopes) => new Set(scopes).size === scopes.length, { error: 'must not repeat a scope' })
  .meta({ description: 'What the key may do. `platform` rules the installation and every tenant.' });
const tenantIdSchema = idSchema
  .nullable()
  .meta({ description: 'The tenant the key acts for; null exactly for a key of scope `platform` or `cel:write`.' });
const pbxNodeIdSchema = idSchema.nullable().meta({
  description: 'The PBX node whose log lines the key may send; null exactly for a key without the scope `cel:write`.',
});

export const createApiKeySchema = z
  .strictObject({
    name: nameSchema,
    scopes: scopesSchema,
    tenantId: tenantIdSchema.default(null),
    pbxNodeId: pbxNodeIdSchema.default(null),
  })
  .superRefine((key, context) => {
    const fault = scopeFault(key.scopes, key);
    if (fault !== undefined) context.addIssue({ code: 'custom', ...fault });
  })
  .meta({ id: 'CreateApiKey' });
export type CreateApiKey = z.output<typeof createApiKeySchema>;

export const updateApiKeySchema = z
  .strictObject({ name: nameSchema.optional(), scopes: scopesSchema.optional() })
  .meta({ id: 'UpdateApiKey' });
export type UpdateApiKey = z.output<typeof updateApiKeySchema>;

export const apiKeySchema = z
  .strictObject({
    id: idSchema,
    name: nameSchema,
    scopes: z.array(scopeSchema),
    tenantId: tenantIdSchema,
    pbxNodeId: pbxNodeIdSchema,
    createdAt: instantSchema,
  })
  .meta({ id: 'ApiKey' });
export type ApiKeyView = z.output<typeof apiKeySchema>;

export const createdApiKeySchema = z
  .strictObject({
    ...apiKeySchema.shape,
    secret: z.string().meta({ description: 'The key itself: `Authorization: Bearer <secret>`. Shown this once.' }),
  })
  .meta({ id: 'CreatedApiKey' });
export type CreatedApiKey = z.output<typeof createdApiKeySchema>;

export const apiKeyPageQuerySchema = z.strictObject({
  ...pageQueryShape(idSchema),
  tenantId: idSchema.optional().meta({ description: 'Only keys of this tenant.' }),
});
export type ApiKeyPageQuery = z.output<typeof apiKeyPageQuerySchema>;

/** A key rules the installation, acts for one tenant, or sends the log of one PBX node, never two of these. */
export function scopeFault(
  scopes: readonly string[],
  { tenantId, pbxNodeId }: { readonly tenantId: string | null; readonly pbxNodeId: string | null },
): { readonly path: [string]; readonly message: string } | undefined {
  if (scopes.includes('cel:write')) {
    if (scopes.length > 1) return { path: ['scopes'], message: 'must hold nothing beside `cel:write`' };
    if (tenantId !== null) return { path: ['scopes'], message: 'must not hold `cel:write` for a key of a tenant' };
    if (pbxNodeId === null) return { path: ['pbxNodeId'], message: 'is required for a key of scope `cel:write`' };
    return undefined;
  }
  if (pbxNodeId !== null) return { path: ['scopes'], message: 'must be `cel:write` for a key of a PBX node' };
  const platform = scopes.includes('platform');
  if (platform && tenantId !== null)
    return { path: ['scopes'], message: 'must not hold `platform` for a key of a tenant' };
  if (!platform && tenantId === null)
    return { path: ['tenantId'], message: 'is required for a key without the scope `platform`' };
  return undefined;
}

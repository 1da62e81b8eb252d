import { z } from 'zod';
import { idSchema } from '../http/id.js';
import { instantSchema } from '../http/instant.js';
import { patchSchema } from '../http/patch.js';
import { plainText } from '../http/plain-text.js';
import { contextPattern } from '../numbers/dial-endpoint.js';
import { nodeHealthSchema } from './node-health.js';

export const ariUrlSchema = z
  .string()
  .max(500)
  .refine(isAriUrl, { error: 'must be a URL such as http://pbx:8088/ari, without user, query or fragment' })
  .meta({ description: 'Base of ARI, http or https.', example: 'http://127.0.0.1:8088/ari' });

/** No control character belongs in a path, and no `..`: what is stored is the path that is read. */
const celFileSchema = z
  .string()
  .max(500)
  .refine((path) => /^\/[^\p{Cc}]*[^/\p{Cc}]$/u.test(path) && !path.split('/').includes('..'), {
    error: 'must be the absolute path of a file, such as /var/log/asterisk/cel-custom/ringline.csv',
  })
  .nullable()
  .default(null)
  .meta({
    description:
      'Asterisk’s channel event log on the host that Ringline runs on, written as `asterisk/ringline/cel_custom.conf` says. Null: it is not read here.',
  });

export const phoneTransfers = ['auto', 'ringline', 'pbx'] as const;
export type PhoneTransfers = (typeof phoneTransfers)[number];

const shape = {
  name: plainText(100),
  ariUrl: ariUrlSchema,
  username: plainText(100).refine((name) => !name.includes(':'), { error: 'must not hold a colon' }),
  app: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,40}$/, { error: 'must be 1 to 40 letters, digits, _ or -' })
    .default('ringline')
    .meta({ description: 'Name of the ARI app that the dial plan passes calls to.' }),
  observe: z.boolean().default(false).meta({
    description: 'Whether calls that the dial plan makes by itself are recorded as well; see docs/observe.md.',
  }),
  tenantIds: z
    .array(idSchema)
    .max(1000)
    .default([])
    .meta({ description: 'Tenants that may have lines and devices here. Empty: all.' }),
  defaultTenantId: idSchema
    .nullable()
    .default(null)
    .meta({ description: 'Whose an observed call is that neither a line nor a device tells. Null: it is not stored.' }),
  celFile: celFileSchema,
  phoneTransfers: z.enum(phoneTransfers).default('auto').meta({
    description:
      'Who carries out transfers that agents ask for with the keys of their phones. `auto`: Ringline, where that cannot harm this Asterisk; see docs/control.md.',
  }),
  extensionContexts: z
    .array(z.string().regex(contextPattern, { error: 'must be 1 to 79 letters, digits, _ or -' }))
    .max(20)
    .default([])
    .meta({
      description:
        'Contexts of the dial plan in which calls may be transferred to an extension, by every tenant of the node. Name none that leads outside; see docs/control.md. Empty: no call may.',
      example: ['ringline-extensions'],
    }),
};

export const createPbxNodeSchema = z
  .strictObject({
    ...shape,
    password: z
      .string()
      .min(1)
      .max(500)
      .meta({ description: 'Of the ARI user. Write-only: no answer ever holds it.', writeOnly: true }),
  })
  .superRefine(({ tenantIds, defaultTenantId }, context) => {
    if (defaultTenantId !== null && tenantIds.length > 0 && !tenantIds.includes(defaultTenantId)) {
      context.addIssue({ code: 'custom', path: ['defaultTenantId'], message: 'must be one of `tenantIds`' });
    }
  })
  .meta({ id: 'CreatePbxNode' });
export type CreatePbxNode = z.output<typeof createPbxNodeSchema>;

export const updatePbxNodeSchema = patchSchema('UpdatePbxNode', createPbxNodeSchema);
export type UpdatePbxNode = z.output<typeof updatePbxNodeSchema>;

export const pbxNodeSchema = z
  .strictObject({
    id: idSchema,
    ...shape,
    health: nodeHealthSchema,
    createdAt: instantSchema,
    updatedAt: instantSchema,
  })
  .meta({ id: 'PbxNode' });
export type PbxNodeView = z.output<typeof pbxNodeSchema>;

function isAriUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  return plain && (url.protocol === 'http:' || url.protocol === 'https:') && !/\s/.test(text);
}

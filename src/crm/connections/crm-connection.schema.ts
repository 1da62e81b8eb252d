import { z } from 'zod';
import { idSchema } from '../../http/id.js';
import { instantSchema } from '../../http/instant.js';
import { patchSchema, type Patch } from '../../http/patch.js';
import { plainText } from '../../http/plain-text.js';
import { doorSourcesSchema } from '../doors/door-sources.js';
import { connectionRulesSchema } from './connection-rules.js';

const settingsSchema = z
  .record(z.string().max(100), z.unknown())
  .meta({ description: 'As the adapter asks for them: see `GET /v1/crm-adapters`.' });

export const createCrmConnectionSchema = z
  .strictObject({
    adapter: plainText(50).meta({ description: 'Such as `espocrm`: see `GET /v1/crm-adapters`.' }),
    name: plainText(200),
    settings: settingsSchema,
    rules: connectionRulesSchema.prefault({}),
    doorSources: doorSourcesSchema.default([]),
    status: z
      .enum(['enabled', 'paused'])
      .default('enabled')
      .meta({ description: 'A paused one keeps what is to be told, and tells it once it is enabled.' }),
  })
  .meta({ id: 'CreateCrmConnection' });
export type CreateCrmConnection = z.output<typeof createCrmConnectionSchema>;

/** Another adapter is another connection. */
const changeable = createCrmConnectionSchema.omit({ adapter: true });
export const updateCrmConnectionSchema = patchSchema('UpdateCrmConnection', changeable);
export type UpdateCrmConnection = Patch<z.output<typeof changeable>>;

export const crmConnectionSchema = z
  .strictObject({
    id: idSchema,
    adapter: z.string(),
    name: z.string(),
    settings: settingsSchema.meta({ description: 'Without those that are secret.' }),
    secretsSet: z.array(z.string()).meta({ description: 'Names of the secret settings that are stored.' }),
    rules: connectionRulesSchema,
    doorSources: doorSourcesSchema,
    status: z
      .enum(['enabled', 'paused', 'disabled'])
      .meta({ description: '`disabled` by Ringline, see `statusReason`; set `enabled` to go on.' }),
    statusReason: z.string().nullable(),
    createdAt: instantSchema,
    updatedAt: instantSchema,
  })
  .meta({ id: 'CrmConnection' });
export type CrmConnectionView = z.output<typeof crmConnectionSchema>;

const doorUrl = z
  .string()
  .meta({ description: 'Where the CRM sends its requests. Its last part is a secret, shown this once.' });

export const createdCrmConnectionSchema = z
  .strictObject({ ...crmConnectionSchema.shape, doorUrl })
  .meta({ id: 'CreatedCrmConnection' });
export type CreatedCrmConnection = z.output<typeof createdCrmConnectionSchema>;

export const rotatedDoorSchema = z.strictObject({ doorUrl }).meta({ id: 'RotatedCrmDoor' });
export type RotatedDoor = z.output<typeof rotatedDoorSchema>;

export const crmConnectionTestSchema = z
  .strictObject({
    verdict: z.enum(['done', 'retry', 'rate-limited', 'rejected', 'credentials-refused', 'gone']),
    account: z.string().nullable().meta({ description: 'As whom Ringline is known there.' }),
    why: z.string().nullable().meta({ description: 'What is wrong, in words.' }),
  })
  .meta({ id: 'CrmConnectionTest' });
export type CrmConnectionTest = z.output<typeof crmConnectionTestSchema>;

export const crmAdapterSchema = z
  .strictObject({
    name: z.string(),
    title: z.string(),
    settings: z.record(z.string(), z.unknown()).meta({ description: 'JSON Schema of `settings`.' }),
    secrets: z.array(z.string()).meta({ description: 'Settings that are sealed, and never shown again.' }),
  })
  .meta({ id: 'CrmAdapter' });
export const crmAdaptersSchema = z.strictObject({ items: z.array(crmAdapterSchema) }).meta({ id: 'CrmAdapters' });
export type CrmAdaptersView = z.output<typeof crmAdaptersSchema>;

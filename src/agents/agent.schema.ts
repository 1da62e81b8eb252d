import { z } from 'zod';
import { idSchema } from '../http/id.js';
import { instantSchema } from '../http/instant.js';
import { patchSchema } from '../http/patch.js';
import { plainText } from '../http/plain-text.js';

const deviceShape = {
  kind: z.literal('sip').default('sip'),
  pbxNodeId: idSchema,
  endpoint: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,64}$/, { error: 'must be the name of a PJSIP endpoint: 1 to 64 letters, digits, _ . -' })
    .meta({ description: 'Dialled exactly `PJSIP/<endpoint>`; every registered contact of it rings.' }),
  autoAnswer: z
    .enum(['none', 'call-info', 'alert-info'])
    .default('none')
    .meta({ description: 'Header by which this phone takes a click-to-call by itself.' }),
};

/** A device as it is sent: `id` keeps a device that the agent has, `order` is the place in the list. */
const deviceInputSchema = z.strictObject({
  id: idSchema.optional().meta({ description: 'Of a device the agent has; left out for a new one.' }),
  ...deviceShape,
  order: z
    .int()
    .min(0)
    .max(1000)
    .optional()
    .meta({ description: 'Lower is earlier. Default: the place in this list.' }),
});

export const createAgentSchema = z
  .strictObject({
    name: plainText(200),
    email: z.email().max(320).nullable().default(null),
    devices: z
      .array(deviceInputSchema)
      .max(20)
      .default([])
      .superRefine((devices, context) => {
        devices.forEach((device, index) => {
          const first = devices.findIndex(
            ({ pbxNodeId, endpoint }) => pbxNodeId === device.pbxNodeId && endpoint === device.endpoint,
          );
          if (first === index) return;
          context.addIssue({
            code: 'custom',
            path: [index, 'endpoint'],
            message: 'must not repeat a device of this list',
          });
        });
      })
      .meta({ description: 'In the order in which they are preferred. A PATCH replaces the whole list.' }),
    crmUsers: z
      .record(idSchema, plainText(200))
      .default({})
      .meta({ description: 'CRM user ids of this person, by connection id.' }),
  })
  .meta({ id: 'CreateAgent' });
export type CreateAgent = z.output<typeof createAgentSchema>;
export type DeviceInput = CreateAgent['devices'][number];

export const updateAgentSchema = patchSchema('UpdateAgent', createAgentSchema);
export type UpdateAgent = z.output<typeof updateAgentSchema>;

const deviceSchema = z.strictObject({ id: idSchema, ...deviceShape, order: z.int().min(0) }).meta({ id: 'Device' });
export type DeviceView = z.output<typeof deviceSchema>;

export const agentSchema = z
  .strictObject({
    id: idSchema,
    ...createAgentSchema.shape,
    devices: z.array(deviceSchema),
    createdAt: instantSchema,
    updatedAt: instantSchema,
  })
  .meta({ id: 'Agent' });
export type AgentView = z.output<typeof agentSchema>;

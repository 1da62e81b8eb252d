import { z } from 'zod';
import { idSchema } from '../http/id.js';
import { instantSchema } from '../http/instant.js';
import { patchSchema } from '../http/patch.js';
import { plainText } from '../http/plain-text.js';

const phoneShape = {
  // The union of devices reads it before a default is put in; so that it may be missing, it is optional too.
  kind: z.literal('sip').optional().default('sip'),
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

const numberShape = {
  kind: z.literal('number'),
  number: plainText(64).meta({
    description:
      'An outside number, such as a mobile phone, in any form; kept as E.164. Called by the trunk of the call’s line, under the tenant’s dial rules.',
    example: '+14155550123',
  }),
  confirm: z.enum(['press-1', 'none']).default('press-1').meta({
    description:
      'Whoever answers there has to press 1 before he has the call, since a mailbox answers too. `none`: who answers has it.',
  }),
};

/** What a device is sent with beside what it is: `id` keeps one that the agent has, `order` is the place in the list. */
const placeShape = {
  id: idSchema.optional().meta({ description: 'Of a device the agent has; left out for a new one.' }),
  order: z
    .int()
    .min(0)
    .max(1000)
    .optional()
    .meta({ description: 'Lower is earlier. Default: the place in this list.' }),
};
const deviceInputSchema = z.discriminatedUnion('kind', [
  z.strictObject({ ...phoneShape, ...placeShape }),
  z.strictObject({ ...numberShape, ...placeShape }),
]);

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
          if (device.kind !== 'sip') return;
          const first = devices.findIndex(
            (other) =>
              other.kind === 'sip' && other.pbxNodeId === device.pbxNodeId && other.endpoint === device.endpoint,
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

const viewShape = { id: idSchema, order: z.int().min(0) };
const deviceSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ ...phoneShape, kind: z.literal('sip'), ...viewShape }).meta({ id: 'SipDevice' }),
    z.strictObject({ ...numberShape, ...viewShape }).meta({ id: 'NumberDevice' }),
  ])
  .meta({ id: 'Device' });
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

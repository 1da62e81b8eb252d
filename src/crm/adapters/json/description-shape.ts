import { z } from 'zod';
import type { Limit } from '../../port/limit.js';
import { requestShape } from './request-shape.js';

const template = z.string().min(1).max(2_000);
const path = z
  .string()
  .max(300)
  .regex(/^[\w-]+(\.[\w-]+)*$/, { error: 'must be names joined by dots, such as data.id' });
const requests = z.array(requestShape).min(1).max(5);
const changes = z.strictObject({ requests });

const auth = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('basic') }),
  z.strictObject({
    kind: z.literal('header'),
    name: z
      .string()
      .regex(/^[a-z][a-z\d-]{0,60}$/, { error: 'must be a header in lower case, such as x-api-key' })
      .default('authorization'),
    prefix: z.string().max(50).default('Bearer '),
  }),
  z.strictObject({
    kind: z.literal('oauth2'),
    grant: z.enum(['client_credentials', 'password', 'refresh_token']),
    tokenPath: z.string().regex(/^\/(?!\/)[^?#\s\\]*$/, { error: 'must be a path below the base URL' }),
    fields: z.enum(['form', 'json', 'query']).default('form'),
    moreFields: z.record(z.string().min(1).max(100), z.string().max(500)).default({}),
    place: z.union([z.literal('bearer'), z.strictObject({ query: z.string().min(1).max(100) })]).default('bearer'),
  }),
]);

const lane = z.string().min(1).max(50).optional();
const count = z.int().min(1).max(10_000_000);
const limit = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('bucket'), lane, capacity: count, perSecond: z.number().positive().max(10_000) }),
  z.strictObject({ kind: z.literal('window'), lane, requests: count, seconds: count }),
  z.strictObject({ kind: z.literal('daily'), lane, budget: count }),
  z.strictObject({ kind: z.literal('concurrent'), lane, most: count }),
]) satisfies z.ZodType<Limit>;

const errorRule = z.strictObject({
  status: z.union([z.int(), z.array(z.int()).min(1)]).optional(),
  at: path.optional().meta({ description: 'Where in the answer something stands that is neither null nor false.' }),
  includes: z.string().min(1).max(200).optional().meta({ description: 'What its text has in it, in any case.' }),
  verdict: z.enum(['retry', 'rate-limited', 'rejected', 'credentials-refused', 'gone', 'exists', 'token-expired']),
});
export type ErrorRule = z.output<typeof errorRule>;

const find = z.strictObject({
  request: requestShape,
  list: path.nullable().default(null).meta({ description: 'Where the list stands; null: the answer is the list.' }),
  type: z.string().min(1).max(100),
  kind: z.enum(['contact', 'lead', 'company']).default('contact'),
  id: template.default('{{item.id}}'),
  name: template,
  company: template.optional(),
  ownerId: template.optional(),
  numbers: z.array(template).min(1).max(20),
  url: template.optional(),
});
export type Find = z.output<typeof find>;

const made = z.strictObject({ requests, id: template });
const madeObject = z.strictObject({ requests, id: template, type: z.string().min(1).max(100) });

const pages = z.strictObject({
  parameter: z.string().min(1).max(100),
  first: z.int().min(0).max(1).default(1),
  /** 1 for numbers of pages, the size for an offset. */
  step: z.int().min(1).max(1_000).default(1),
  size: z.int().min(1).max(1_000),
  most: z.int().min(1).max(50).default(20),
});

export const descriptionShape = z.strictObject({
  version: z.literal(1),
  title: z.string().min(1).max(100),
  basePath: z
    .string()
    .max(200)
    .regex(/^(\/[\w.~-]+)*$/, { error: 'must be empty or such as /api/v1' })
    .default(''),
  auth,
  limits: z.array(limit).max(10).default([]),
  errors: z.array(errorRule).max(50).default([]),
  why: path.nullable().default(null).meta({ description: 'Where an answer says in words what is wrong.' }),
  maps: z.record(z.string().regex(/^[\w-]{1,50}$/), z.record(z.string().max(100), z.string().max(500))).default({}),
  test: z.strictObject({ request: requestShape, account: template }),
  contacts: z.strictObject({ find: z.array(find).min(1).max(5) }).optional(),
  creates: z
    .strictObject({ lead: madeObject.optional(), contact: madeObject.optional(), unsorted: madeObject.optional() })
    .default({}),
  users: z
    .strictObject({
      request: requestShape,
      pages: pages.optional(),
      list: path.nullable().default(null),
      id: template.default('{{item.id}}'),
      name: template,
      email: template.optional(),
      extension: template.optional(),
      isActive: z.strictObject({ value: template, in: z.array(z.string().max(100)).min(1) }).optional(),
    })
    .optional(),
  pop: changes.optional(),
  call: z.strictObject({
    live: z.boolean().default(false),
    textHasId: z.boolean().default(false),
    find: z.strictObject({ request: requestShape, id: template }).optional(),
    read: z.strictObject({ request: requestShape, text: template }).optional(),
    create: z.strictObject({
      requests,
      id: template,
      existingId: template.optional(),
      isUpsert: z.boolean().default(false),
    }),
    update: changes.optional(),
    correct: changes.optional(),
    remove: changes.optional(),
  }),
  recording: z.strictObject({ link: changes.optional(), upload: changes.optional() }).default({}),
  note: changes.optional(),
  task: z.strictObject({ create: made, close: changes }).optional(),
});

/** A CRM, described. */
export type Description = z.output<typeof descriptionShape>;

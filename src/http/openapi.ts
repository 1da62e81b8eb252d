import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { problems, type ProblemType } from '../common/problems.js';
import { PROBLEMS_EXTENSION, SENDS_EXTENSION, type Sent } from './api-answer.js';
import { problemSchema } from './problem.schema.js';

/** Scopes whose routes act for no tenant. */
const withoutTenant: ReadonlySet<string> = new Set(['platform', 'cel:write']);

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

/** The OpenAPI document of every route of the app, from the same schemas that check requests. Needs no database. */
export function buildOpenApi(app: INestApplication): OpenAPIObject {
  const outline = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Ringline')
    .setDescription('Click-to-call, screen pops and one true record of every call. Errors are RFC 9457 documents.')
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addSecurity('apiKey', {
      type: 'http',
      scheme: 'bearer',
      description: 'An API key, `rl_...`. A platform key has every scope and names its tenant by `Ringline-Tenant`.',
    })
    .addSecurity('streamToken', {
      type: 'http',
      scheme: 'bearer',
      description: 'A stream token, `rls_...`, of `POST /v1/stream-tokens`.',
    })
    .build();
  const document = SwaggerModule.createDocument(app, outline, {
    standardSchemaConverter: toOpenApi,
    operationIdFactory: (controller, method) => method + controller.replace(/Controller$/, ''),
  });
  const problem = toOpenApi(problemSchema, { schemaType: 'output' });
  const components = (document.components ??= {});
  components.schemas = sorted({ ...components.schemas, ...(problem?.components as typeof components.schemas) });
  const sent: Sent[] = [];
  for (const path of Object.values(document.paths)) {
    for (const method of ['get', 'post', 'patch', 'put', 'delete'] as const) {
      const operation = path[method];
      if (!operation) continue;
      complete(operation);
      sent.push(...takeSent(operation));
    }
  }
  addWebhooks(document, sent);
  return document;
}

function takeSent(operation: Operation): readonly Sent[] {
  const extended = operation as Operation & { [SENDS_EXTENSION]?: readonly Sent[] };
  const sent = extended[SENDS_EXTENSION] ?? [];
  delete extended[SENDS_EXTENSION];
  return sent;
}

/** OpenAPI 3.1 has a place of its own for requests that the API makes. */
function addWebhooks(document: OpenAPIObject, sent: readonly Sent[]): void {
  const webhooks: Record<string, unknown> = {};
  for (const { name, summary, schema } of sent) {
    const converted = JSON.stringify(toOpenApi(schema(), { schemaType: 'output' }) ?? {});
    const { components = {}, schema: body } = JSON.parse(converted.replaceAll('#/$defs/', '#/components/schemas/')) as {
      components?: Record<string, object>;
      schema?: unknown;
    };
    document.components = {
      ...document.components,
      schemas: sorted({ ...document.components?.schemas, ...components }),
    };
    webhooks[name] = {
      post: {
        summary,
        requestBody: { required: true, content: { 'application/json': { schema: body } } },
        responses: { '2XX': { description: 'Taken.' } },
      },
    };
  }
  Object.assign(document, { webhooks });
}

/** Adds what every route has in common, so that no controller repeats it. */
function complete(operation: Operation): void {
  const scope = operation.security?.[0]?.['apiKey']?.[0];
  const parameters = (operation.parameters ??= []);
  const types = new Set<ProblemType>();
  if (parameters.length > 0 || operation.requestBody) types.add('invalid-request');
  if (parameters.some((parameter) => 'in' in parameter && parameter.in === 'path')) types.add('not-found');
  if (scope !== undefined && !withoutTenant.has(scope)) {
    types.add('tenant-required').add('not-found');
    parameters.push({
      name: 'Ringline-Tenant',
      in: 'header',
      required: false,
      description: 'The tenant to act for. Required with a platform key.',
      schema: { type: 'string', format: 'uuid' },
    });
  }
  if (scope !== undefined) types.add('unauthorized').add('forbidden').add('database-unavailable').add('shutting-down');
  if (operation.requestBody) types.add('body-too-large').add('unsupported-media-type');
  types.add('internal-error');
  const extended = operation as Operation & { [PROBLEMS_EXTENSION]?: readonly ProblemType[] };
  for (const type of extended[PROBLEMS_EXTENSION] ?? []) types.add(type);
  delete extended[PROBLEMS_EXTENSION];
  for (const status of [...new Set([...types].map((type) => problems[type].status))].toSorted((a, b) => a - b)) {
    const told = [...types].filter((type) => problems[type].status === status);
    operation.responses[String(status)] ??= {
      description: told.map((type) => `\`${type}\`: ${problems[type].title}.`).join(' '),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  }
}

function toOpenApi(
  schema: unknown,
  { schemaType }: { schemaType: 'input' | 'output' },
): { schema: unknown; components: Record<string, unknown> } | undefined {
  if (!(schema instanceof z.ZodType)) return undefined;
  const {
    $schema: _,
    $defs = {},
    ...converted
  } = z.toJSONSchema(schema, {
    io: schemaType,
    target: 'draft-2020-12',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // What JavaScript can count to says nothing about the field.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  for (const definition of Object.values($defs)) delete definition.id;
  return { schema: converted, components: $defs };
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

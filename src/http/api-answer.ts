import { HttpCode, applyDecorators } from '@nestjs/common';
import { ApiExtension, ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';
import type { ProblemType } from '../common/problems.js';

/** Where a route's own problems stand until the OpenAPI document turns them into responses. */
export const PROBLEMS_EXTENSION = 'x-problems';

/** Where what Ringline sends by itself stands until the OpenAPI document takes it up under `webhooks`. */
export const SENDS_EXTENSION = 'x-sends';

export type Sent = {
  readonly name: string;
  readonly summary: string;
  /** Called for it: the OpenAPI module copies extensions, and a copy of a schema is none. */
  readonly schema: () => z.ZodType;
};

export type ApiAnswerOptions = {
  /** What generated clients call it, such as `createLine`. Default: from the names of method and controller. */
  readonly operationId?: string;
  /** One line, without a full stop. */
  readonly summary: string;
  readonly description?: string;
  /** Of success. Default 200. */
  readonly status?: 200 | 201 | 202 | 204;
  /** What success answers; left out: nothing. */
  readonly schema?: z.ZodType;
  readonly problems?: readonly ProblemType[];
};

/** What a route answers: sets the status, and writes summary, schema and problems into the OpenAPI document. */
export function ApiAnswer(options: ApiAnswerOptions): MethodDecorator {
  const { operationId, summary, description, status = 200, schema, problems = [] } = options;
  return applyDecorators(
    HttpCode(status),
    ApiOperation({
      ...(operationId !== undefined && { operationId }),
      summary,
      ...(description !== undefined && { description }),
    }),
    ApiResponse({ status, description: summary, ...(schema && { standardSchema: schema }) }),
    ApiProblems(...problems),
  );
}

/** Problems of this route alone. Those of every route (key, scope, schema, body, database) are added by themselves. */
export function ApiProblems(...types: readonly ProblemType[]): MethodDecorator {
  return ApiExtension(PROBLEMS_EXTENSION, types);
}

/** What Ringline sends because of this route. */
export function ApiSends(...sent: readonly Sent[]): MethodDecorator {
  return ApiExtension(SENDS_EXTENSION, sent);
}

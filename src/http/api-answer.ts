import { HttpCode, applyDecorators } from '@nestjs/common';
import { ApiExtension, ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';
import type { ProblemType } from '../common/problems.js';

/** Where a route's own problems stand until the OpenAPI document turns them into responses. */
export const PROBLEMS_EXTENSION = 'x-problems';

export type ApiAnswerOptions = {
  /** One line, without a full stop. */
  readonly summary: string;
  readonly description?: string;
  /** Of success. Default 200. */
  readonly status?: 200 | 201 | 202 | 204;
  /** What success answers; left out: nothing. */
  readonly schema?: z.ZodType;
  /** Problems of this route alone. Those of every route (key, schema, body, database) are added by themselves. */
  readonly problems?: readonly ProblemType[];
};

/** What a route answers: sets the status, and writes summary, schema and problems into the OpenAPI document. */
export function ApiAnswer(options: ApiAnswerOptions): MethodDecorator {
  const { summary, description, status = 200, schema, problems = [] } = options;
  return applyDecorators(
    HttpCode(status),
    ApiOperation({ summary, ...(description !== undefined && { description }) }),
    ApiResponse({ status, description: summary, ...(schema && { standardSchema: schema }) }),
    ApiExtension(PROBLEMS_EXTENSION, [...problems]),
  );
}

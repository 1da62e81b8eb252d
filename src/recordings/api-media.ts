import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { ProblemType } from '../common/problems.js';
import { ApiProblems } from '../http/api-answer.js';

const content = { 'audio/wav': { schema: { type: 'string', format: 'binary' } } };

/** What a route that answers with sound says in the OpenAPI document. */
export function ApiMedia(options: {
  readonly operationId: string;
  readonly summary: string;
  readonly problems: readonly ProblemType[];
}): MethodDecorator {
  const { operationId, summary, problems } = options;
  return applyDecorators(
    ApiOperation({ operationId, summary, description: 'A WAV file; also by `HEAD`. Every access is audited.' }),
    ApiHeader({ name: 'Range', required: false, description: 'One range of bytes, for seeking: `bytes=44-`.' }),
    ApiResponse({ status: 200, description: summary, content }),
    ApiResponse({ status: 206, description: 'The bytes that `Range` asks for', content }),
    ApiProblems('range-not-satisfiable', ...problems),
  );
}

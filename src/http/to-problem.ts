import { HttpException } from '@nestjs/common';
import { Problem } from '../common/problems.js';
import { databaseProblem } from './database-problem.js';

/** The problem that an error is for an API user. What is not foreseen is `internal-error` and tells nothing inner. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof HttpException) return fromStatus(error.getStatus(), error.cause) ?? internalError;
  return databaseProblem(error) ?? internalError;
}

export const internalError = new Problem('internal-error', {
  detail: 'Something unexpected happened in Ringline; the log has more under this requestId.',
});

/** What the framework and the body parser refuse by themselves. */
function fromStatus(status: number, cause: unknown): Problem | undefined {
  switch (status) {
    case 400:
      return new Problem('invalid-request', { detail: badRequestDetail(cause) });
    case 404:
      return new Problem('not-found', { detail: 'There is no such route.' });
    case 413:
      return new Problem('body-too-large', { detail: `The body is larger than ${limitOf(cause)}.` });
    case 415:
      return new Problem('unsupported-media-type', { detail: 'The body must be JSON in UTF-8, uncompressed or gzip.' });
    default:
      return undefined;
  }
}

function limitOf(cause: unknown): string {
  const { limit } = (cause ?? {}) as { limit?: unknown };
  return typeof limit === 'number' ? `${Math.round(limit / 1024)} kB` : 'allowed';
}

function badRequestDetail(cause: unknown): string {
  if (cause instanceof URIError) return 'The path is not correctly percent-encoded.';
  if (cause instanceof SyntaxError) return 'The body is not a JSON object.';
  return 'The request could not be read.';
}

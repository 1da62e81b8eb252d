import { Catch, type ArgumentsHost, type ExceptionFilter, NotFoundException } from '@nestjs/common';
import type { Response } from 'express';
import { Log } from '../common/logger.js';
import { Problem } from '../common/problems.js';
import { Config } from '../config/config.js';
import type { IncomingRequest } from './request.js';
import { methodsOfPath } from './methods-of-path.js';
import { toProblem } from './to-problem.js';

/** Answers every error with an RFC 9457 document. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly config: Config,
    private readonly log: Log,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<IncomingRequest>();
    const response = host.switchToHttp().getResponse<Response>();
    const { requestId } = request;
    const problem = this.#problemOf(error, request, response);
    if (problem.status === 500) this.log.error({ requestId, error, method: request.method }, 'request failed');
    if (problem.status === 503 && !(error instanceof Problem))
      this.log.warn({ requestId, error }, 'database unavailable');
    if (response.headersSent) {
      // Half an answer is out: only cutting it off tells the client.
      response.destroy();
      return;
    }
    const { retryAfterSeconds } = problem.details;
    if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', String(Math.ceil(retryAfterSeconds)));
    if (problem.status === 401) response.setHeader('WWW-Authenticate', 'Bearer realm="ringline"');
    response
      .status(problem.status)
      .type('application/problem+json')
      .send(JSON.stringify({ ...problem.toDocument(this.config.http.publicUrl), requestId }));
  }

  #problemOf(error: unknown, request: IncomingRequest, response: Response): Problem {
    if (!(error instanceof NotFoundException)) return toProblem(error);
    const allowed = methodsOfPath(request);
    if (allowed.length === 0) return toProblem(error);
    response.setHeader('Allow', allowed.join(', '));
    return new Problem('method-not-allowed', {
      detail: `This path takes ${allowed.join(', ')}, not ${request.method}.`,
    });
  }
}

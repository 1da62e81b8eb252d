import type { NextFunction, Request, Response } from 'express';
import { Problem } from '../common/problems.js';

/** Refuses a body that is not JSON, which the parser would silently ignore. */
export function jsonOnly(request: Request, _response: Response, next: NextFunction): void {
  const hasBody = request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length']) > 0;
  if (hasBody && !request.is(['application/json', 'application/*+json'])) {
    throw new Problem('unsupported-media-type', {
      detail: `The body must be JSON, not ${JSON.stringify(request.headers['content-type'] ?? 'without a Content-Type')}.`,
      field: 'Content-Type',
    });
  }
  next();
}

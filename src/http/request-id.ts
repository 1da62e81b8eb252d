import type { NextFunction, Request, Response } from 'express';
import { newId } from '../common/ids.js';
import type { IncomingRequest } from './request.js';

/** Ids of others are taken when they can do no harm in a header or a log. */
const safeId = /^[A-Za-z0-9_.-]{1,64}$/;

export function requestId(request: Request, response: Response, next: NextFunction): void {
  const given = request.get('x-request-id');
  const id = given !== undefined && safeId.test(given) ? given : newId();
  (request as IncomingRequest).requestId = id;
  response.setHeader('X-Request-Id', id);
  next();
}

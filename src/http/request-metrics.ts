import { Injectable } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { Histogram } from 'prom-client';
import { Metrics } from '../metrics/metrics.js';

/** Times requests by route. Paths hold ids, so a path that no route has counts under `none`. */
@Injectable()
export class RequestMetrics {
  readonly #seconds: Histogram<'method' | 'route' | 'status'>;

  constructor(metrics: Metrics) {
    this.#seconds = new Histogram({
      name: 'ringline_http_request_seconds',
      help: 'From the last header of a request to the last byte of its answer; streams count when they end.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers: [metrics.registry],
    });
  }

  readonly middleware = (request: Request, response: Response, next: NextFunction): void => {
    const end = this.#seconds.startTimer();
    response.once('close', () => {
      const { path } = (request.route ?? {}) as { path?: string };
      const route = path === undefined || path.includes('*') ? 'none' : path;
      end({ method: methodOf(request), route, status: `${Math.floor(response.statusCode / 100)}xx` });
    });
    next();
  };
}

/** A client may send any word as its method. */
function methodOf({ method }: Request): string {
  return ['GET', 'POST', 'PATCH', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'].includes(method) ? method : 'other';
}

import type { Server } from 'node:http';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Request, RequestHandler } from 'express';
import helmet from 'helmet';
import type { Config } from '../config/config.js';
import { jsonOnly } from './json-only.js';
import { RequestMetrics } from './request-metrics.js';
import { requestId } from './request-id.js';
import { ShutdownGate } from './shutdown-gate.js';
import { storableOnly } from './storable.js';

/** Also told in the problem `body-too-large`. */
const BODY_LIMIT = '64kb';
/** Lines of a log come by the thousand. */
const LOG_BODY_LIMIT = '1mb';
const logPath = /^\/v1\/pbx-nodes\/[^/]+\/cel\/?$/;
const jsonTypes = ['application/json', 'application/*+json'];
/** Of a CRM: in whatever form it sends, and byte by byte, since signatures are about those. */
const rawPath = /^\/v1\/hooks\//;
const isRaw = ({ path }: Request): boolean => rawPath.test(path);
/** How long a client may take to send its headers, and its whole request, ms: slow ones must not hold sockets. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** What whoever reads the bytes has to look at himself. */
function unlessRaw(handler: RequestHandler): RequestHandler {
  return (request, response, next) => (isRaw(request) ? next() : handler(request, response, next));
}

/** Everything between the socket and the routes, in order. */
export function setUpHttp(app: NestExpressApplication, config: Config): void {
  app.set('trust proxy', [...config.http.trustProxy]);
  app.disable('etag');
  app.use(requestId);
  app.use(app.get(RequestMetrics).middleware);
  app.use(app.get(ShutdownGate).middleware);
  app.use(
    helmet({
      // A page served over plain http in a local network must not be told to fetch its parts over https.
      contentSecurityPolicy: { directives: { 'upgrade-insecure-requests': null } },
      strictTransportSecurity: config.http.publicUrl.startsWith('https:'),
    }),
  );
  if (config.http.corsOrigins.length > 0) {
    app.enableCors({
      origin: [...config.http.corsOrigins],
      methods: ['GET', 'POST', 'PATCH', 'DELETE'],
      allowedHeaders: ['Authorization', 'Content-Type', 'Idempotency-Key', 'Last-Event-ID', 'Ringline-Tenant'],
      exposedHeaders: ['Idempotency-Replayed', 'Retry-After', 'X-Request-Id'],
      maxAge: 600,
    });
  }
  app.useBodyParser('raw', { limit: BODY_LIMIT, type: (message) => isRaw(message as Request) });
  app.use(unlessRaw(jsonOnly));
  app.useBodyParser('json', {
    limit: LOG_BODY_LIMIT,
    type: (message) => {
      const request = message as Request;
      return logPath.test(request.path) && request.is(jsonTypes) !== false;
    },
  });
  app.useBodyParser('json', { limit: BODY_LIMIT, type: jsonTypes });
  app.use(unlessRaw(storableOnly));
  const server: Server = app.getHttpServer();
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
}

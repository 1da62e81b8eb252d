import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule, partsOfRole, type Parts } from './app.module.js';
import { createLog, nestLogger, type Log } from './common/logger.js';
import type { Config } from './config/config.js';
import { serveOpenApi } from './http/serve-openapi.js';
import { setUpHttp } from './http/set-up-http.js';

export type AppOptions = {
  /** What this process does. Default: what `ROLE` says. */
  readonly parts?: Parts;
  /** Default: JSON lines on stdout. */
  readonly log?: Log;
};

/**
 * Ringline, ready to `listen`. Nothing is connected before that, and PostgreSQL, Redis and Asterisk may come later.
 * @throws {Error} when a setting or a file of `DATA_DIR` cannot be used; the message is for the operator.
 */
export async function createApp(config: Config, options: AppOptions = {}): Promise<NestExpressApplication> {
  const log = options.log ?? createLog(config.logLevel);
  const parts = options.parts ?? partsOfRole[config.role];
  const app = await NestFactory.create<NestExpressApplication>(AppModule.compose(config, log, parts), {
    logger: nestLogger(log),
    abortOnError: false,
    bodyParser: false,
  });
  setUpHttp(app, config);
  if (parts.api) serveOpenApi(app);
  return app;
}

import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { Problem } from '../common/problems.js';

/** Refuses new requests while the process stops, so that a balancer or a client tries elsewhere at once. */
@Injectable()
export class ShutdownGate implements OnModuleDestroy {
  #closing = false;

  onModuleDestroy(): void {
    this.#closing = true;
  }

  readonly middleware = (_request: Request, response: Response, next: NextFunction): void => {
    if (!this.#closing) return next();
    response.setHeader('Connection', 'close');
    throw new Problem('shutting-down', {
      detail: 'This process is stopping and takes no new request.',
      retryAfterSeconds: 2,
    });
  };
}

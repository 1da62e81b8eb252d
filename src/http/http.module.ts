import { Module } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { ProblemFilter } from './problem.filter.js';
import { RequestMetrics } from './request-metrics.js';
import { ShutdownGate } from './shutdown-gate.js';
import { validationPipe } from './validation.pipe.js';

@Module({
  providers: [
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_PIPE, useValue: validationPipe },
    RequestMetrics,
    ShutdownGate,
  ],
})
export class HttpModule {}

import { Controller, Get, Res } from '@nestjs/common';
import type { Response } from 'express';
import { z } from 'zod';
import { ApiAnswer } from '../http/api-answer.js';
import { Public } from '../tenancy/require-scope.js';
import { HealthParts, type PartHealth } from './health-parts.js';

const statusSchema = z.enum(['up', 'degraded', 'down']);
const readinessSchema = z
  .strictObject({
    status: statusSchema.meta({ description: '`down`: this process cannot do its work; answered with 503.' }),
    parts: z.array(
      z.strictObject({
        name: z.string(),
        status: statusSchema,
        detail: z.string().optional().meta({ description: 'What is wrong and what to do.' }),
        warnings: z.array(z.strictObject({ code: z.string(), detail: z.string() })).optional(),
      }),
    ),
  })
  .meta({ id: 'Readiness' });
type Readiness = z.output<typeof readinessSchema>;

@Public()
@Controller('health')
export class HealthController {
  constructor(private readonly parts: HealthParts) {}

  @Get('live')
  @ApiAnswer({
    operationId: 'getLiveness',
    summary: 'Is this process alive',
    description: 'Says nothing about what it depends on: restarting Ringline does not bring a database back.',
    schema: z.strictObject({ status: z.literal('up') }).meta({ id: 'Liveness' }),
  })
  live(): { status: 'up' } {
    return { status: 'up' };
  }

  @Get('ready')
  @ApiAnswer({
    operationId: 'getReadiness',
    summary: 'Can this process do its work, and how is each part',
    schema: readinessSchema,
  })
  ready(@Res({ passthrough: true }) response: Response): Readiness {
    const parts = this.parts.current();
    const status = overall(parts);
    if (status === 'down') response.status(503);
    return { status, parts: parts.map((part) => ({ ...part, warnings: part.warnings?.slice() })) };
  }
}

/** Nothing works without the database; of several PBX nodes one is enough. The rest only delays. */
function overall(parts: readonly PartHealth[]): PartHealth['status'] {
  const isDown = (part: PartHealth): boolean => part.status === 'down';
  const nodes = parts.filter(({ name }) => name.startsWith('pbx-node '));
  if (parts.some((part) => part.name === 'database' && isDown(part))) return 'down';
  if (nodes.length > 0 && nodes.every(isDown)) return 'down';
  return parts.every(({ status }) => status === 'up') ? 'up' : 'degraded';
}

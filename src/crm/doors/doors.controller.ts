import { applyDecorators, Controller, Get, Param, Post, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { Problem } from '../../common/problems.js';
import { Database } from '../../database/database.js';
import { ApiAnswer } from '../../http/api-answer.js';
import { idSchema } from '../../http/id.js';
import { Public } from '../../tenancy/require-scope.js';
import type { DoorRequest } from '../port/door.js';
import { DialTellings } from './dial-tellings.js';
import { DoorsService } from './doors.service.js';

const dialledSchema = z
  .strictObject({ callId: idSchema.meta({ description: 'The call that was placed.' }) })
  .meta({ id: 'DoorDialled' });
type Dialled = z.output<typeof dialledSchema>;

/** Any text: what opens nothing is answered alike. */
const partSchema = z.string().max(200);

const OpenDoor = (operationId: string): MethodDecorator =>
  applyDecorators(
    ApiAnswer({
      operationId,
      summary: 'Take a request of a CRM',
      description:
        'In the CRM’s own form, at most 64 kB: see docs/crm-doors.md. 204 where nothing was dialled for it. The same request is heeded once in 24 hours.',
      schema: dialledSchema,
      problems: [
        'body-too-large',
        'signature-invalid',
        'source-not-allowed',
        'too-many-requests',
        'crm-user-unknown',
        'connection-not-enabled',
        'request-in-progress',
        'invalid-number',
        'number-blocked',
        'agent-without-device',
        'agent-unreachable',
        'agent-busy',
        'line-required',
        'line-without-trunk',
        'node-mismatch',
        'node-unavailable',
        'too-many-calls',
        'database-unavailable',
        'shutting-down',
      ],
    }),
  );

/** The doors of CRM connections. The random part of the path is all that Ringline itself asks for. */
@ApiTags('CRM')
@Public()
@Controller('v1/hooks')
export class DoorsController {
  constructor(
    private readonly database: Database,
    private readonly doors: DoorsService,
    private readonly tellings: DialTellings,
  ) {}

  @Post(':connectionId/:random')
  @OpenDoor('openCrmDoor')
  post(
    @Param('connectionId', { schema: partSchema }) connectionId: string,
    @Param('random', { schema: partSchema }) random: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Dialled | undefined> {
    return this.#open(connectionId, random, request, response);
  }

  @Get(':connectionId/:random')
  @OpenDoor('openCrmDoorByGet')
  get(
    @Param('connectionId', { schema: partSchema }) connectionId: string,
    @Param('random', { schema: partSchema }) random: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Dialled | undefined> {
    return this.#open(connectionId, random, request, response);
  }

  async #open(
    connectionId: string,
    random: string,
    request: Request,
    response: Response,
  ): Promise<Dialled | undefined> {
    this.database.assertReady();
    // Which the framework takes for GET: whoever only looks whether a link is good dials nothing.
    if (request.method === 'HEAD') throw new Problem('method-not-allowed', { detail: 'A door takes GET and POST.' });
    // After the answer: a CRM may not take what it is told of a request that still goes on.
    response.once('finish', () => this.tellings.nudge());
    const { answer, isReplayed } = await this.doors.open(connectionId, random, readRequest(request), request.ip);
    if (isReplayed) response.setHeader('Idempotency-Replayed', 'true');
    switch (answer.kind) {
      case 'placed':
        return { callId: answer.callId };
      case 'done':
        response.status(204);
        return undefined;
      case 'refused':
        throw new Problem(answer.problem, answer.details);
    }
  }
}

function readRequest(request: Request): DoorRequest {
  const { method, headers, originalUrl } = request;
  const body: unknown = request.body;
  const query = originalUrl.includes('?') ? originalUrl.slice(originalUrl.indexOf('?') + 1) : '';
  return {
    method,
    headers: Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
      ),
    ),
    query: Object.fromEntries(new URLSearchParams(query)),
    body: Buffer.isBuffer(body) ? body : new Uint8Array(),
  };
}

import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { Database } from '../database/database.js';
import { Public } from '../tenancy/require-scope.js';
import { ApiMedia } from './api-media.js';
import { answerMedia } from './media-answer.js';
import { RecordingLinks } from './recording-links.js';
import { RecordingsService } from './recordings.service.js';

const tokenSchema = z.string().max(400);

/** Recordings by link. The token in the path is all that is asked for. */
@Public()
@Controller('v1/recording-links')
export class RecordingLinksController {
  constructor(
    private readonly database: Database,
    private readonly links: RecordingLinks,
    private readonly recordings: RecordingsService,
  ) {}

  @Get(':token')
  @ApiMedia({
    operationId: 'openRecordingLink',
    summary: 'Hear a recording by a link',
    problems: ['link-invalid', 'recording-unavailable', 'database-unavailable', 'shutting-down'],
  })
  async open(
    @Param('token', { schema: tokenSchema }) token: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    this.database.assertReady();
    const { recording, listener } = await this.links.open(token);
    const media = await this.recordings.open(recording);
    // A CRM's page plays it from an origin of its own.
    response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
    await answerMedia(request, response, media, (bytes) => this.recordings.recordAccess(recording, listener, bytes));
  }
}

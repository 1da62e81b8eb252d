import { Body, Controller, Delete, Get, Param, Post, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { ApiAnswer } from '../http/api-answer.js';
import { idSchema } from '../http/id.js';
import type { Actor } from '../tenancy/actor.js';
import { CurrentActor, RequireScope } from '../tenancy/require-scope.js';
import { ApiMedia } from './api-media.js';
import { answerMedia } from './media-answer.js';
import { RecordingLinks } from './recording-links.js';
import {
  createRecordingLinkSchema,
  recordingLinkSchema,
  standingLinksSchema,
  type CreateRecordingLink,
  type RecordingLinkView,
  type StandingLinks,
} from './recordings.schema.js';
import { RecordingsService } from './recordings.service.js';

@Controller('v1/calls/:id/recordings/:rid')
export class RecordingsController {
  constructor(
    private readonly recordings: RecordingsService,
    private readonly links: RecordingLinks,
  ) {}

  @Get('media')
  @RequireScope('recordings:read')
  @ApiMedia({ operationId: 'getRecordingMedia', summary: 'Hear a recording', problems: ['recording-unavailable'] })
  async media(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: idSchema }) id: string,
    @Param('rid', { schema: idSchema }) rid: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const recording = await this.recordings.find(actor, id, rid);
    const media = await this.recordings.open(recording);
    await answerMedia(request, response, media, (bytes) =>
      this.recordings.recordAccess(recording, { keyId: actor.keyId, via: 'api' }, bytes),
    );
  }

  @Delete()
  @RequireScope('calls:write')
  @ApiAnswer({
    operationId: 'eraseRecording',
    summary: 'Erase a recording and its links',
    description: 'The call’s record then says `erased`. A recording that is being made has to be stopped first.',
    status: 204,
    problems: ['recording-conflict'],
  })
  erase(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: idSchema }) id: string,
    @Param('rid', { schema: idSchema }) rid: string,
  ): Promise<void> {
    return this.recordings.erase(actor, id, rid);
  }

  @Post('links')
  @RequireScope('recordings:read')
  @ApiAnswer({
    operationId: 'createRecordingLink',
    summary: 'Make a link by which a recording is heard without a key',
    status: 201,
    schema: recordingLinkSchema,
    problems: ['recording-unavailable'],
  })
  createLink(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: idSchema }) id: string,
    @Param('rid', { schema: idSchema }) rid: string,
    @Body({ schema: createRecordingLinkSchema }) body: CreateRecordingLink,
  ): Promise<RecordingLinkView> {
    return this.links.create(actor, id, rid, body);
  }

  @Get('links')
  @RequireScope('recordings:read')
  @ApiAnswer({
    operationId: 'listRecordingLinks',
    summary: 'List the links for CRMs that stand',
    schema: standingLinksSchema,
  })
  listLinks(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: idSchema }) id: string,
    @Param('rid', { schema: idSchema }) rid: string,
  ): Promise<StandingLinks> {
    return this.links.list(actor, id, rid);
  }

  @Delete('links/:linkId')
  @RequireScope('recordings:read')
  @ApiAnswer({ operationId: 'revokeRecordingLink', summary: 'Revoke a link for a CRM', status: 204 })
  revokeLink(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: idSchema }) id: string,
    @Param('rid', { schema: idSchema }) rid: string,
    @Param('linkId', { schema: idSchema }) linkId: string,
  ): Promise<void> {
    return this.links.revoke(actor, id, rid, linkId);
  }
}

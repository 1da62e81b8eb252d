import { Body, Controller, Get, Headers, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';
import type { Response } from 'express';
import { ApiAnswer } from '../http/api-answer.js';
import { idSchema } from '../http/id.js';
import { pageSchema, type Page } from '../http/paging.js';
import type { Actor } from '../tenancy/actor.js';
import { CurrentActor, RequireScope } from '../tenancy/require-scope.js';
import {
  annotateCallSchema,
  createCallSchema,
  sendDigitsSchema,
  transferCallSchema,
  type AnnotateCall,
  type CreateCall,
  type SendDigits,
  type TransferCall,
} from './call-request.schema.js';
import { CallsService } from './calls.service.js';
import {
  listCallsQuerySchema,
  recordingActionSchema,
  timelineSchema,
  type ListCallsQuery,
  type Timeline,
} from './calls.schema.js';
import { ClickToCallService } from './click-to-call.service.js';
import { callSchema, type Call } from './domain/call.js';
import type { RecordingAction } from './domain/fact.js';
import { readIdempotencyKey } from './idempotency-key.js';

@Controller('v1/calls')
export class CallsController {
  constructor(
    private readonly calls: CallsService,
    private readonly clickToCall: ClickToCallService,
  ) {}

  @Post()
  @RequireScope('calls:write')
  @ApiHeader({
    name: 'Idempotency-Key',
    required: true,
    description: '1 to 255 printable characters, new for each click. Kept 24 hours.',
  })
  @ApiResponse({
    status: 200,
    description: 'The key was used before with the same body; `Idempotency-Replayed: true`.',
    standardSchema: callSchema,
  })
  @ApiAnswer({
    operationId: 'placeCall',
    summary: 'Place a click-to-call',
    description: 'Rings the agent’s phones, then the other party. A refused request stores nothing.',
    status: 201,
    schema: callSchema,
    problems: [
      'idempotency-key-required',
      'idempotency-key-reused',
      'request-in-progress',
      'not-found',
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
    ],
  })
  async place(
    @CurrentActor() actor: Actor,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: createCallSchema }) body: CreateCall,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Call> {
    const { call, replayed } = await this.clickToCall.place(actor, readIdempotencyKey(key), body);
    if (replayed) response.status(200).setHeader('Idempotency-Replayed', 'true');
    return call;
  }

  @Get()
  @RequireScope('calls:read')
  @ApiAnswer({
    operationId: 'listCalls',
    summary: 'List calls, newest first',
    schema: pageSchema('CallPage', callSchema),
  })
  list(
    @CurrentActor() actor: Actor,
    @Query({ schema: listCallsQuerySchema }) query: ListCallsQuery,
  ): Promise<Page<Call>> {
    return this.calls.list(actor, query);
  }

  @Get(':id')
  @RequireScope('calls:read')
  @ApiAnswer({ operationId: 'getCall', summary: 'Get a call', schema: callSchema })
  get(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<Call> {
    return this.calls.get(actor, id);
  }

  @Get(':id/timeline')
  @RequireScope('calls:read')
  @ApiAnswer({ operationId: 'getTimeline', summary: 'Tell what happened in a call, in words', schema: timelineSchema })
  timeline(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<Timeline> {
    return this.calls.timeline(actor, id);
  }

  @Patch(':id')
  @RequireScope('calls:write')
  @ApiAnswer({ operationId: 'annotateCall', summary: 'Write note, disposition or tags', schema: callSchema })
  annotate(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: annotateCallSchema }) body: AnnotateCall,
  ): Promise<Call> {
    return this.calls.annotate(actor, id, body);
  }

  @Post(':id/hangup')
  @RequireScope('calls:write')
  @ApiAnswer({
    operationId: 'hangUpCall',
    summary: 'Hang up a call at any stage',
    description:
      'One that the dial plan makes too (`control: "observed"`). The call as it is now; its end follows as `call.ended`.',
    status: 202,
    schema: callSchema,
    problems: ['call-ended'],
  })
  hangup(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<Call> {
    return this.calls.hangup(actor, id);
  }

  @Post(':id/hold')
  @RequireScope('calls:write')
  @ApiAnswer({
    operationId: 'holdCall',
    summary: 'Put the other party on hold',
    description:
      'It hears music, and the agent does not hear it. The call as it is now; `call.held` follows when it is done.',
    status: 202,
    schema: callSchema,
    problems: ['call-ended', 'call-not-controllable', 'call-not-answered', 'transfer-conflict'],
  })
  hold(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<Call> {
    return this.calls.hold(actor, id, true);
  }

  @Post(':id/unhold')
  @RequireScope('calls:write')
  @ApiAnswer({
    operationId: 'unholdCall',
    summary: 'Take the other party off hold',
    description: 'The call as it is now; `call.resumed` follows when it is done.',
    status: 202,
    schema: callSchema,
    problems: ['call-ended', 'call-not-controllable', 'call-not-answered', 'transfer-conflict'],
  })
  unhold(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<Call> {
    return this.calls.hold(actor, id, false);
  }

  @Post(':id/mute')
  @RequireScope('calls:write')
  @ApiAnswer({
    operationId: 'muteCall',
    summary: 'Mute the agent',
    description: 'The other party does not hear the agent until `unmute`.',
    status: 202,
    schema: callSchema,
    problems: ['call-ended', 'call-not-controllable', 'call-not-answered', 'transfer-conflict'],
  })
  mute(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<Call> {
    return this.calls.mute(actor, id, true);
  }

  @Post(':id/unmute')
  @RequireScope('calls:write')
  @ApiAnswer({
    operationId: 'unmuteCall',
    summary: 'Let the agent be heard again',
    status: 202,
    schema: callSchema,
    problems: ['call-ended', 'call-not-controllable', 'call-not-answered', 'transfer-conflict'],
  })
  unmute(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<Call> {
    return this.calls.mute(actor, id, false);
  }

  @Post(':id/transfer')
  @RequireScope('calls:write')
  @ApiAnswer({
    operationId: 'transferCall',
    summary: 'Transfer the other party to an agent or an outside number',
    description:
      'The other party hears music while the target rings. The call as it is now; `call.transferred` follows when it went to the target, `call.resumed` alone when it is back. The record stays one.',
    status: 202,
    schema: callSchema,
    problems: [
      'call-ended',
      'call-not-controllable',
      'call-not-answered',
      'transfer-conflict',
      'not-found',
      'agent-without-device',
      'node-mismatch',
      'invalid-number',
      'number-blocked',
      'line-without-trunk',
      'too-many-calls',
    ],
  })
  transfer(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: transferCallSchema }) body: TransferCall,
  ): Promise<Call> {
    return this.calls.transfer(actor, id, body);
  }

  @Post(':id/transfer/complete')
  @RequireScope('calls:write')
  @ApiAnswer({
    operationId: 'completeTransfer',
    summary: 'Complete an attended transfer',
    description: 'The other party goes to the target: now, or as soon as that answers.',
    status: 202,
    schema: callSchema,
    problems: ['call-ended', 'call-not-controllable', 'transfer-conflict'],
  })
  completeTransfer(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<Call> {
    return this.calls.completeTransfer(actor, id);
  }

  @Post(':id/transfer/cancel')
  @RequireScope('calls:write')
  @ApiAnswer({
    operationId: 'cancelTransfer',
    summary: 'Cancel a transfer',
    description: 'The other party goes back to who has the call; the target is let go.',
    status: 202,
    schema: callSchema,
    problems: ['call-ended', 'call-not-controllable', 'transfer-conflict'],
  })
  cancelTransfer(@CurrentActor() actor: Actor, @Param('id', { schema: idSchema }) id: string): Promise<Call> {
    return this.calls.cancelTransfer(actor, id);
  }

  @Post(':id/dtmf')
  @RequireScope('calls:write')
  @ApiAnswer({
    operationId: 'sendDigits',
    summary: 'Send the other party DTMF digits',
    description: 'They are sent once, within 5 s or not at all. Neither the record nor the timeline tells which.',
    status: 202,
    schema: callSchema,
    problems: ['call-ended', 'call-not-controllable', 'call-not-answered', 'transfer-conflict'],
  })
  sendDigits(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: sendDigitsSchema }) body: SendDigits,
  ): Promise<Call> {
    return this.calls.sendDigits(actor, id, body);
  }

  @Post(':id/record/:action')
  @RequireScope('calls:write')
  @ApiAnswer({
    operationId: 'controlRecording',
    summary: 'Start, stop, pause or resume the recording of a call',
    description:
      'Records while both parties talk; before that, it is kept in mind. The call as it is now; what comes of it follows as `call.updated`. Each `start` makes a recording of its own.',
    status: 202,
    schema: callSchema,
    problems: ['call-ended', 'call-not-controllable', 'recording-conflict'],
  })
  record(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: idSchema }) id: string,
    @Param('action', { schema: recordingActionSchema }) action: RecordingAction,
  ): Promise<Call> {
    return this.calls.record(actor, id, action);
  }
}

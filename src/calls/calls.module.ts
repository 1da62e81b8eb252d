import { Module } from '@nestjs/common';
import { CallsController } from './calls.controller.js';
import { CallsService } from './calls.service.js';
import { ClickToCallService } from './click-to-call.service.js';

/** The API of calls. Needs the ledger, which the telephony part brings. */
@Module({
  controllers: [CallsController],
  providers: [CallsService, ClickToCallService],
  exports: [ClickToCallService],
})
export class CallsModule {}

import { Global, Module } from '@nestjs/common';
import { CallsModule } from '../calls/calls.module.js';
import { Dialer } from '../crm/doors/dialer.js';
import { ClickDialer } from './click-dialer.js';

/** Joins the doors of CRMs with click-to-call: neither knows the other. Global, because the doors ask for the port alone. */
@Global()
@Module({
  imports: [CallsModule],
  providers: [{ provide: Dialer, useClass: ClickDialer }],
  exports: [Dialer],
})
export class CrmDialingModule {}

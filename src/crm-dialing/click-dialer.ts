import { Injectable } from '@nestjs/common';
import { createCallSchema } from '../calls/call-request.schema.js';
import { ClickToCallService } from '../calls/click-to-call.service.js';
import { Dialer, type DialOrder } from '../crm/doors/dialer.js';

/** Dials for CRMs by the one click-to-call service: the same rules, limits, idempotency and audit as for everybody. */
@Injectable()
export class ClickDialer extends Dialer {
  constructor(private readonly clickToCall: ClickToCallService) {
    super();
  }

  async dial(order: DialOrder): Promise<{ readonly callId: string }> {
    const { tenantId, connectionId, idempotencyKey, agentId, number, lineId, entity, remoteCallId } = order;
    const body = createCallSchema.parse({
      agentId,
      to: number,
      ...(lineId !== null && { lineId }),
      ...(entity !== null && { crm: { connectionId, ...entity } }),
    });
    const door = { connectionId, remoteCallId };
    const { call } = await this.clickToCall.place({ tenantId, keyId: null }, idempotencyKey, body, door);
    return { callId: call.id };
  }
}

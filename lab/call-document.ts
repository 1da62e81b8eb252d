import { callSchema, type Call } from '../src/calls/domain/call.js';
import { newId } from '../src/common/ids.js';

/** An inbound call that has just begun, with what is wanted otherwise. Fits the schema. */
export function callDocument(changes: Partial<Call> = {}): Call {
  const customer = { raw: '+14155550123', e164: '+14155550123', name: 'Carol' };
  const called = { raw: '4930123456', e164: '+4930123456', name: null };
  return callSchema.parse({
    id: newId(),
    tenantId: newId(),
    control: 'driven',
    direction: 'inbound',
    status: 'queued',
    outcome: null,
    outcomeReason: null,
    from: customer,
    to: called,
    remote: customer,
    line: { id: newId(), number: '+4930123456', name: 'Sales' },
    contact: null,
    owner: null,
    participants: [],
    legs: [],
    startedAt: new Date().toISOString(),
    ringingAt: null,
    answeredAt: null,
    endedAt: null,
    waitSeconds: 0,
    talkSeconds: 0,
    durationSeconds: 0,
    hangup: null,
    recordings: [],
    note: null,
    disposition: null,
    tags: [],
    cost: null,
    estimated: false,
    version: 1,
    mergedInto: null,
    pbxNodeId: newId(),
    linkedId: null,
    sipCallIds: [],
    ...changes,
  } satisfies Call);
}

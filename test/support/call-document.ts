import { callSchema, type Call, type Participant } from '../../src/calls/domain/call.js';
import type { CommittedChange } from '../../src/calls/after-commit.js';
import type { CallEvent, CallEventType } from '../../src/calls/domain/call-event.js';
import { newId } from '../../src/common/ids.js';

/** An agent as a participant of a call. */
export function participant(agentId: string, changes: Partial<Participant> = {}): Participant {
  return {
    agentId,
    number: null,
    device: 'PJSIP/alice',
    role: 'requested',
    ringingAt: null,
    answeredAt: null,
    leftAt: null,
    talkSeconds: 0,
    ...changes,
  };
}

/** An inbound call that has just begun, with what a test wants otherwise. Fits the schema. */
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

/** What a commit that made this call what it is tells its subscribers. `type` null: nothing visible changed. */
export function committedChange(
  call: Call,
  type: CallEventType | null,
  at: { readonly receivedAt?: number | null; readonly committedAt?: number } = {},
): CommittedChange {
  const committedAt = at.committedAt ?? Date.now();
  const event: CallEvent = {
    id: newId(),
    type: type ?? 'call.updated',
    timestamp: new Date(committedAt).toISOString(),
    tenantId: call.tenantId,
    sequence: call.version,
    data: { call },
  };
  return {
    tenantId: call.tenantId,
    callId: call.id,
    nodeId: call.pbxNodeId,
    call,
    events: type === null ? [] : [{ event, text: JSON.stringify(event) }],
    receivedAt: at.receivedAt === undefined ? committedAt - 5 : at.receivedAt,
    committedAt,
  };
}

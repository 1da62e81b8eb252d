import type { Call, Participant } from '../../src/calls/domain/call.js';
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

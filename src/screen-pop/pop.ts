import type { Call, CallLine, CallNumber } from '../calls/domain/call.js';
import { popIdOf } from './pop-id.js';

/** Tells an agent who is calling, before the phone rings. One per (call, agent). */
export type Pop = {
  readonly id: string;
  readonly callId: string;
  readonly agentId: string;
  readonly from: CallNumber;
  readonly line: CallLine | null;
  /** Who it may be, by the CRM; empty while no CRM is connected. */
  readonly matches: readonly never[];
  readonly expiresAt: string;
  readonly call: Call;
};

/**
 * How long a pop may be shown if nobody says how the call went on (a browser that is offline). Longer than most lines
 * ring; the record does not tell a line's own ring time, and the `call` event takes the pop down much earlier.
 */
export const POP_LIFETIME_MS = 60_000;

/** Agents of a call, each once. */
export function agentsOf(call: Call): ReadonlySet<string> {
  return new Set(call.participants.flatMap(({ agentId }) => (agentId === null ? [] : [agentId])));
}

/**
 * The pops that are valid for a call as it is now: it is inbound, open and unanswered, and their agents are about to be
 * rung or are ringing. Who has rejected it or stopped ringing has left and gets none.
 */
export function validPops(call: Call, now: number): readonly Pop[] {
  if (call.direction !== 'inbound' || call.answeredAt !== null || call.endedAt !== null) return [];
  if (call.status === 'answered' || call.status === 'held' || call.status === 'ended') return [];
  if (call.participants.some(({ agentId, role }) => agentId !== null && role === 'answered')) return [];
  const expiresAtMs = Date.parse(call.startedAt) + POP_LIFETIME_MS;
  if (expiresAtMs <= now) return [];
  const expiresAt = new Date(expiresAtMs).toISOString();
  const ringing = call.participants.filter(({ role, leftAt }) => (role === 'requested' || role === 'rang') && !leftAt);
  return [...agentsOf({ ...call, participants: ringing })].map((agentId) => ({
    id: popIdOf(call.id, agentId),
    callId: call.id,
    agentId,
    from: call.from,
    line: call.line,
    matches: [],
    expiresAt,
    call,
  }));
}

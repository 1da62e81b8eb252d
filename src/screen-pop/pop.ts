import type { Call, CallLine, CallNumber } from '../calls/domain/call.js';
import type { ContactMatch } from '../contacts/match.js';
import { popIdOf } from './pop-id.js';

/** Tells an agent who is calling, before the phone rings. One per (call, agent). */
export type Pop = {
  readonly id: string;
  readonly callId: string;
  readonly agentId: string;
  readonly from: CallNumber;
  readonly line: CallLine | null;
  /** Who it may be, by the CRM, the likeliest first. Empty in the pop itself, which waits for nothing: they follow it. */
  readonly matches: readonly ContactMatch[];
  readonly expiresAt: string;
  readonly call: Call;
};

/**
 * How long a pop may be shown if nobody says how the call went on (a browser that is offline). Longer than most lines
 * ring; the record does not tell a line's own ring time, and the `call` event takes the pop down much earlier.
 */
export const POP_LIFETIME_MS = 60_000;

/** Agents who are sought for a call: for an incoming one that nobody has taken, or as the target of a transfer. */
export function soughtAgents(call: Call): ReadonlySet<string> {
  if (call.endedAt !== null || !(isTransferring(call) || isWaiting(call))) return new Set();
  const { answeredAt } = call;
  const sought = call.participants.filter(
    ({ role, leftAt, answeredAt: taken, ringingAt }) =>
      (role === 'requested' || role === 'rang') &&
      leftAt === null &&
      // Who is consulted has taken it; whose phone rang before the call was answered was not sought for a transfer.
      (answeredAt === null || (taken === null && (ringingAt === null || ringingAt >= answeredAt))),
  );
  return agentsOf({ ...call, participants: sought });
}

/** A call from outside that nobody has taken. */
function isWaiting({ direction, status, answeredAt, participants }: Call): boolean {
  return (
    direction === 'inbound' &&
    answeredAt === null &&
    (status === 'queued' || status === 'ringing') &&
    !participants.some(({ agentId, role }) => agentId !== null && role === 'answered')
  );
}

/** The other party waits: it is on hold, or somebody is rung for it. */
function isTransferring({ control, status, answeredAt }: Call): boolean {
  return control === 'driven' && status === 'held' && answeredAt !== null;
}

/** Agents of a call, each once. */
export function agentsOf(call: Call): ReadonlySet<string> {
  return new Set(call.participants.flatMap(({ agentId }) => (agentId === null ? [] : [agentId])));
}

/**
 * The pops that are valid for a call as it is now, of the agents who are about to be rung or are ringing. Who has rejected it or
 * stopped ringing has left and gets none. When the pop of an incoming call expires follows from its beginning; of a transfer's
 * beginning the record does not tell, so its pop lives from now on.
 */
export function validPops(call: Call, now: number): readonly Pop[] {
  const expiresAtMs = (isTransferring(call) ? now : Date.parse(call.startedAt)) + POP_LIFETIME_MS;
  if (expiresAtMs <= now) return [];
  const expiresAt = new Date(expiresAtMs).toISOString();
  return [...soughtAgents(call)].map((agentId) => ({
    id: popIdOf(call.id, agentId),
    callId: call.id,
    agentId,
    from: call.remote,
    line: call.line,
    matches: [],
    expiresAt,
    call,
  }));
}

import type { CallState } from '../domain/call-state.js';
import type { Talk } from '../domain/talk.js';
import type { DecisionBuilder } from './decision.js';

/** Digits answer what the other party says at the moment: after this long it says something else, ms. */
const STALE_AFTER_MS = 5_000;

/**
 * Sends the other party the digits that were asked for, in that order. First it is written down that they go out: what
 * reached a bank's menu must not reach it twice.
 */
export function decideDigits(decision: DecisionBuilder, state: CallState, talk: Talk | undefined, now: number): void {
  if (talk?.until !== null) return;
  const { id: leg, digitsSent } = talk.remote;
  for (const { id, at } of state.digitAsks)
    if (!digitsSent.includes(id) && now - at < STALE_AFTER_MS)
      decision.record({ leg, kind: 'digits-sent', key: id, data: {} });
  const sent = state.digitAsks.filter(({ id }) => digitsSent.includes(id));
  if (sent.length > 0)
    decision.chain(
      ...sent.map(({ id, digits }) => ({ key: `digits:${id}`, do: 'send-digits', leg, digits, id }) as const),
    );
}

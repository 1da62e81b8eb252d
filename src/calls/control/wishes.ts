import { isOver, type CallState, type LegState, type Wish } from '../domain/call-state.js';
import type { Talk } from '../domain/talk.js';
import { openTransfer, type TransferState } from '../domain/transfer.js';
import type { TransferProgress } from '../telephony-switch.js';
import type { Command, DecisionBuilder } from './decision.js';
import { agentLegs, transferLegs } from './legs.js';

/** Who pressed the keys looks at his phone: after this long he has given up, ms. */
const STALE_AFTER_MS = 5_000;
/** What came of it is not told later than this, ms: by then his phone may ask for something else. */
const TELL_WITHIN_MS = 10_000;

/**
 * Transfers that are asked for by phone (REFER). Each becomes one like those by the API, or is refused; the phone is told which,
 * and what comes of it. A refused one changes nothing: the call goes on as it was. What the switch carried out by itself is
 * written down as a transfer that took place.
 */
export function decideWishes(decision: DecisionBuilder, state: CallState, talk: Talk | undefined, now: number): void {
  for (const leg of agentLegs(state)) {
    if (leg.takenOver !== null && !state.transfers.some(({ done }) => done?.from === leg.id))
      decision.chain({ key: `taker:${leg.id}`, do: 'name-taker', leg: leg.id, ...leg.takenOver });
    for (const wish of leg.wishes) {
      const transfer = state.transfers.find(({ by }) => by?.leg === leg.id && by.wish === wish.key);
      if (transfer !== undefined) follow(decision, state, leg, wish, transfer, now);
      else if (wish.refusedAt !== null) {
        if (!isOver(leg) && now - wish.refusedAt < TELL_WITHIN_MS) decision.chain(tellPhone(leg, wish, 'refused'));
      } else if (!isOver(leg)) accept(decision, state, leg, wish, talk, now);
    }
  }
}

function accept(
  decision: DecisionBuilder,
  state: CallState,
  leg: LegState,
  wish: Wish,
  talk: Talk | undefined,
  now: number,
): void {
  const refusal = refusalOf(state, leg, wish, talk, now);
  if (refusal !== null)
    decision.record({
      leg: leg.id,
      kind: 'wish-refused',
      key: wish.key,
      data: { problem: 'transfer-conflict', text: refusal },
    });
  else decision.chain({ key: `target:${leg.id}:${wish.key}`, do: 'find-target', leg: leg.id, wish });
}

function refusalOf(state: CallState, leg: LegState, wish: Wish, talk: Talk | undefined, now: number): string | null {
  if (openTransfer(state) !== null) return 'A transfer of this call is under way.';
  if (talk?.until !== null || talk.agent.id !== leg.id) return 'This phone does not talk with the other party.';
  if (wish.consulted === null) return 'Nobody is on the line to whom the call could go.';
  return now - wish.at > STALE_AFTER_MS ? 'It was asked for some time ago.' : null;
}

/** @param transfer What became of the wish. */
function follow(
  decision: DecisionBuilder,
  state: CallState,
  leg: LegState,
  wish: Wish,
  { place, done, failed }: TransferState,
  now: number,
): void {
  if (isOver(leg)) return;
  const isNews = now - ((done ?? failed)?.at ?? now) < TELL_WITHIN_MS;
  // Before its leg ends: the phone would take the end for a failure.
  if (done !== null) decision.beforeEnd(leg.id, tellPhone(leg, wish, 'done'));
  else if (failed !== null) {
    if (isNews) decision.chain(tellPhone(leg, wish, 'failed'));
  } else if (transferLegs(state, place).some(({ ringing }) => ringing !== null))
    decision.chain(tellPhone(leg, wish, 'ringing'));
}

function tellPhone(leg: LegState, wish: Wish, progress: TransferProgress): Command {
  return { key: `tell:${leg.id}:${wish.key}:${progress}`, do: 'tell-transfer', leg: leg.id, progress };
}

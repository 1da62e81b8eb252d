import { isOver, type CallState, type LegState, type Wish } from '../domain/call-state.js';
import type { Fact, ReleaseReason } from '../domain/fact.js';
import type { NewLeg, TransferProgress } from '../telephony-switch.js';
import { endQuestions } from './ask.js';
import type { RungPhone } from './legs.js';

/** One thing to ask of the switch. `key` is its identity within the call: it is given once. */
export type Command = { readonly key: string } & (
  | { readonly do: 'find-contacts'; readonly rung: RungPhone; readonly viaLeg: string }
  | { readonly do: 'create-leg'; readonly leg: NewLeg }
  | { readonly do: 'dial-leg'; readonly leg: string; readonly ringSeconds: number }
  | { readonly do: 'tell-ringing'; readonly leg: string }
  /** Ask the party of `leg` to press 1, from the beginning. */
  | { readonly do: 'ask-leg'; readonly leg: string }
  | { readonly do: 'stop-asking'; readonly leg: string }
  | { readonly do: 'answer-leg'; readonly leg: string }
  | { readonly do: 'join-legs'; readonly room: string; readonly legs: readonly string[] }
  /** Has the switch itself end `partner`, by its own name, when `leg` ends. */
  | { readonly do: 'tie-legs'; readonly leg: string; readonly partner: string }
  /** Of all that `leg` was tied to only `partner` ends with it; null: nobody does. */
  | { readonly do: 'retie-legs'; readonly leg: string; readonly partner: string | null }
  /** The party of `leg` hears music and is not heard, or takes part again; `by` is the leg for which it is done. */
  | {
      readonly do: 'hold-leg';
      readonly leg: string;
      readonly by: string;
      readonly held: boolean;
      readonly place: number;
    }
  | { readonly do: 'mute-leg'; readonly leg: string; readonly muted: boolean; readonly place: number }
  /** `id` of the request for them. */
  | { readonly do: 'send-digits'; readonly leg: string; readonly digits: string; readonly id: string }
  /** Find out to whom the phone of `leg` wants the other party to go. */
  | { readonly do: 'find-target'; readonly leg: string; readonly wish: Wish }
  /** The switch put `by` into the place of `leg`: find out who that is. */
  | { readonly do: 'name-taker'; readonly leg: string; readonly at: number; readonly by: string; readonly to: string }
  | { readonly do: 'tell-transfer'; readonly leg: string; readonly progress: TransferProgress }
  | { readonly do: 'close-room'; readonly room: string }
  | { readonly do: 'end-leg'; readonly leg: string; readonly why: ReleaseReason }
  /** `isOnHold`: the music is to stop first. */
  | { readonly do: 'hand-back'; readonly leg: string; readonly isOnHold: boolean }
  | {
      readonly do: 'start-recording';
      readonly recording: string;
      readonly room: string;
      readonly limitSeconds: number;
    }
  | { readonly do: 'pause-recording' | 'resume-recording' | 'stop-recording'; readonly recording: string }
  | { readonly do: 'renew-lease'; readonly leg: string; readonly seconds: number }
  /** Ask whether the leg is still there: its end was announced and did not come. */
  | { readonly do: 'check-leg'; readonly leg: string }
);

/**
 * What to do next with a call. `record` is stored first; what depends on it follows from the next decision.
 * Commands of one chain run one after another, chains side by side.
 */
export type Decision = {
  readonly record: readonly Fact[];
  readonly chains: readonly (readonly Command[])[];
  /** When to decide again although nothing new was told, ms by the switch's clock. */
  readonly wakeAt: number | null;
};

/** How long the end of a leg may be announced before we ask, ms, and how often we ask again. */
const DOUBT_AFTER_MS = 2_000;
const DOUBT_EVERY_MS = 5_000;

/** How soon a leg that is tied ends after its partner, ms. */
const TIED_WITHIN_MS = 500;

/** The switch's own limit of a talk comes this much after ours, should we be gone by then, seconds. */
export const LIMIT_MARGIN_SECONDS = 60;

/** Added to a leg's ring time: after that the switch stops ringing by itself, should we be gone. Seconds. */
export const LEASE_MARGIN_SECONDS = 5;

/** Collects a decision. */
export class DecisionBuilder {
  readonly #record: Fact[] = [];
  readonly #chains: Command[][] = [];
  readonly #beforeEnd = new Map<string, Command>();
  #wakeAt: number | null = null;

  constructor(
    private readonly state: Pick<CallState, 'legs'>,
    private readonly now: number,
  ) {}

  record(fact: DistributiveOmit<Fact, 'at' | 'source'>): void {
    this.#record.push({ ...fact, at: this.now, source: 'ringline' });
  }

  chain(...commands: readonly Command[]): void {
    this.#chains.push([...commands]);
  }

  /** Should the leg be ended, this comes first. */
  beforeEnd(leg: string, command: Command): void {
    this.#beforeEnd.set(leg, command);
  }

  wakeAt(at: number): void {
    if (at > this.now && (this.#wakeAt === null || at < this.#wakeAt)) this.#wakeAt = at;
  }

  /** Ends legs: first it is written down why, then the switch is asked. */
  release(legs: readonly LegState[], why: ReleaseReason): void {
    for (const leg of legs) {
      if (!isOver(leg) && leg.released === null) this.record({ leg: leg.id, kind: 'released', key: '', data: { why } });
    }
  }

  /** Ends the partner of a leg that is over, unless the switch has done so by itself, as legs that are tied are. */
  releasePartner(partner: LegState, of: LegState): void {
    const overAt = of.ended?.at ?? of.refused?.at ?? this.now;
    if (this.now >= overAt + TIED_WITHIN_MS) this.release([partner], 'other-side-left');
    else this.wakeAt(overAt + TIED_WITHIN_MS);
  }

  /** Dials each leg that is there: first it is written down that we dial, then the switch is asked. */
  dial(legs: readonly LegState[], ringSeconds: number, before: readonly Command[] = []): void {
    for (const leg of legs) {
      if (isOver(leg) || leg.released !== null || leg.createdAt === null) continue;
      if (leg.dialSentAt === null) this.record({ leg: leg.id, kind: 'dial-sent', key: '', data: {} });
      else if (
        [leg.diallingAt, leg.ringing, leg.progressAt, leg.answered, leg.pickedUp].every((seen) => seen === null)
      ) {
        this.chain(...before, { key: `dial:${leg.id}`, do: 'dial-leg', leg: leg.id, ringSeconds });
      }
    }
  }

  /** Ends the call when its parties have talked for as long as the tenant allows. */
  limit(talkingSince: number, limitSeconds: number): void {
    const at = talkingSince + limitSeconds * 1000;
    if (this.now >= at) this.release(this.state.legs, 'limit');
    else this.wakeAt(at);
  }

  done(): Decision {
    for (const leg of this.state.legs) {
      if (isOver(leg)) continue;
      const before = this.#beforeEnd.get(leg.id);
      if (leg.released !== null)
        this.chain(...(before === undefined ? [] : [before]), {
          key: `end:${leg.id}`,
          do: 'end-leg',
          leg: leg.id,
          why: leg.released.why,
        });
      const announced = Math.min(leg.released?.at ?? Infinity, leg.hangupAsked?.at ?? Infinity);
      if (announced === Infinity) continue;
      const overdue = this.now - announced - DOUBT_AFTER_MS;
      if (overdue >= 0) {
        this.chain({ key: `check:${leg.id}:${Math.floor(overdue / DOUBT_EVERY_MS)}`, do: 'check-leg', leg: leg.id });
        this.wakeAt(this.now + DOUBT_EVERY_MS);
      } else this.wakeAt(announced + DOUBT_AFTER_MS);
    }
    return { record: this.#record, chains: this.#chains, wakeAt: this.#wakeAt };
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** When `leg` ends the switch ends `partner`, whether we live or not. */
export function tie(leg: LegState, partner: LegState): readonly Command[] {
  return partner.name === null ? [] : [{ key: `tie:${leg.id}`, do: 'tie-legs', leg: leg.id, partner: partner.name }];
}

/**
 * Brings legs into a room. Those who are there are left there: who comes in again is out of it for a moment, and its talk in
 * two pieces.
 * @param legs The last one names the command.
 */
export function enter(room: string, ...legs: readonly LegState[]): readonly Command[] {
  const outside = legs.filter(({ stays }) => !stays.some((stay) => stay.room === room && stay.until === null));
  if (outside.length === 0) return [];
  return [
    ...endQuestions(outside),
    { key: `join:${legs.at(-1)?.id}`, do: 'join-legs', room, legs: outside.map(({ id }) => id) },
  ];
}

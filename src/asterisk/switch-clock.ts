import type { AriFrame } from './ari-frame.js';
import { parseAriTime, writeAriTime } from './ari-time.js';

/** What happens at one moment may be told in another order; a clock that goes back by more was set, ms. */
const MOST_DISORDER_MS = 5_000;
/** One that goes back by more says nothing to go on from, ms. */
const MOST_SET_BACK_MS = 24 * 3_600_000;
/** A time that far ahead of the present, ms, was not told by the clock that was set back. */
const MOST_AHEAD_MS = 2_000;
/** No two clocks drift apart by so much of the time that passes: what was told long ago counts less. */
const MOST_DRIFT = 0.001;

/**
 * The times of one switch as they would be had its clock not been set back: in a record of a call everything comes after what it
 * came after, and lasts as long as it did. A clock that is set forward is followed.
 */
export class SwitchClock {
  #setBackMs = 0;
  /** Of the frame that took least to come: when it came by our clock that is never set, and what the switch's was ahead of that, ms. */
  #soonest = { heardAt: 0, lead: -Infinity };

  /** @param onSetBack Told of each time, with how far it is behind from now on, ms. */
  constructor(private readonly onSetBack: (setBackMs: number) => void = () => undefined) {}

  /** By how much times are put forward, ms. */
  get setBackMs(): number {
    return this.#setBackMs;
  }

  /** Goes by the switch's clock again: nothing is under way that has times of before. */
  settle(): void {
    if (this.#setBackMs === 0) return;
    this.#setBackMs = 0;
    this.#soonest = { heardAt: 0, lead: -Infinity };
  }

  /**
   * Reads what comes by one connection: that is in order. What we have sent to us by it passes what waits in the switch, and is
   * in an order of its own.
   * @returns puts a frame's times right. `heardAt`: when it came, ms by a clock that is never set
   */
  listen(): (frame: AriFrame, heardAt?: number) => AriFrame {
    const newest = { events: -Infinity, asked: -Infinity };
    return (frame, heardAt = performance.now()) => {
      const told = parseAriTime(frame.timestamp);
      if (told === null) return frame;
      const order = frame.type === 'ChannelUserevent' && frame.channel === undefined ? 'asked' : 'events';
      const goesBack = newest[order] - told;
      newest[order] = goesBack > MOST_DISORDER_MS ? told : Math.max(newest[order], told);
      if (goesBack > MOST_SET_BACK_MS) this.#soonest = { heardAt, lead: -Infinity };
      else if (goesBack > MOST_DISORDER_MS) {
        this.#setBackMs = Math.max(0, Math.round(this.#present(heardAt) - told));
        this.onSetBack(this.#setBackMs);
      }
      const at = this.steady(told, heardAt);
      if (at >= this.#present(heardAt)) this.#soonest = { heardAt, lead: at - heardAt };
      return at === told ? frame : putForward(frame, told, at);
    };
  }

  /** A time that the switch tells now. One of before its clock was set back stays what it is. */
  steady(told: number, heardAt = performance.now()): number {
    const at = told + this.#setBackMs;
    return at > this.#present(heardAt) + MOST_AHEAD_MS ? told : at;
  }

  /** What time it is at the switch, as far as it has told. */
  #present(heardAt: number): number {
    const { lead, heardAt: since } = this.#soonest;
    return heardAt + lead - MOST_DRIFT * (heardAt - since);
  }
}

/** Channels that are older than the event were made before the clock was set back, unless the event is about their making. */
function putForward(frame: AriFrame, told: number, at: number): AriFrame {
  const { channel } = frame;
  const madeAt = parseAriTime(channel?.creationtime);
  const isNew = (frame.type === 'StasisStart' || frame.type === 'ChannelCreated') && madeAt !== null && madeAt <= told;
  return {
    ...frame,
    timestamp: writeAriTime(at),
    ...(channel !== undefined && isNew && { channel: { ...channel, creationtime: writeAriTime(madeAt + at - told) } }),
  };
}

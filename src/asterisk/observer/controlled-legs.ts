import { OUR_PREFIX } from '../../calls/control/legs.js';

/** Ids of the channels in a frame: an id is followed by a name only there. */
const CHANNEL_ID = /"id":\s?"([^"]+)",\s?"name":/g;

const KEEP_MS = 60_000;

/** Legs of one switch that Ringline drives: their events come by the session that drives them. */
export class ControlledLegs {
  readonly #callers = new Set<string>();

  add(leg: string): void {
    this.#callers.add(leg);
  }

  /** It is over. The other connection may tell of it for a while. */
  forget(leg: string): void {
    setTimeout(() => this.#callers.delete(leg), KEEP_MS).unref();
  }

  has(leg: string): boolean {
    return leg.startsWith(OUR_PREFIX) || this.#callers.has(leg);
  }

  /** Whether an event, as it came from the socket, is of such a leg. */
  concern(text: string): boolean {
    for (const [, id = ''] of text.matchAll(CHANNEL_ID)) if (this.has(id)) return true;
    return false;
  }
}

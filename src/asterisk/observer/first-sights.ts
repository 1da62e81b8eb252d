import type { AriChannel } from '../ari-frame.js';

/** What is seen of a leg for the first time: itself, and how it came to be; or its SIP Call-ID, which comes later. */
export type FirstSight = 'leg' | 'sip-call-id' | null;

/** Remembers which legs were seen. */
export class FirstSights {
  /** Whether the SIP Call-ID of each was seen too. */
  readonly #seen = new Map<string, boolean>();

  of({ id, protocol_id: sipCallId }: AriChannel): FirstSight {
    const isComplete = this.#seen.get(id);
    if (isComplete === true || (isComplete === false && !sipCallId)) return null;
    this.#seen.set(id, Boolean(sipCallId));
    return isComplete === undefined ? 'leg' : 'sip-call-id';
  }

  forget(leg: string): void {
    this.#seen.delete(leg);
  }

  clear(): void {
    this.#seen.clear();
  }
}

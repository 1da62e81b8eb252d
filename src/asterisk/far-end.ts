import { isOurs } from '../calls/control/legs.js';

const SUFFIX = '-w';

/** Id of the far end of a wire that Ringline makes, of which the near end is a leg of a call. */
export function farEndId(leg: string): string {
  return `${leg}${SUFFIX}`;
}

/** The leg at the near end of a wire that Ringline made, by the id of its far end; null for what is none. */
export function nearEndId(channel: string): string | null {
  return isOurs({ id: channel }) && channel.endsWith(SUFFIX) ? channel.slice(0, -SUFFIX.length) : null;
}

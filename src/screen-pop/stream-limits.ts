/** Times and sizes of the stream; a provider, so that tests can shorten them. */
export abstract class StreamLimits {
  /** How long a token can be used to connect, ms. */
  abstract readonly tokenLifeMs: number;
  /** A stream is given a fresh token when its newest one has less than this left, ms. */
  abstract readonly renewBeforeMs: number;
  /** How often open streams are compared with revocations, ms. Revocation must end a stream within 5 s. */
  abstract readonly checkEveryMs: number;
  abstract readonly heartbeatEveryMs: number;
  /** A reader that takes nothing for this long is cut, ms. */
  abstract readonly unreadMs: number;
  /** A reader with more than this waiting for it is cut, bytes. */
  abstract readonly backlogBytes: number;
  /** A person has a few tabs and windows; more is a page that leaks streams. */
  abstract readonly perAgent: number;
  abstract readonly perProcess: number;
  /** Browsers come back after a random part of this, ms, so that a restart does not bring all of them at once. */
  abstract readonly reconnectSpreadMs: number;
}

export const streamLimits: StreamLimits = {
  tokenLifeMs: 600_000,
  renewBeforeMs: 300_000,
  checkEveryMs: 2_000,
  heartbeatEveryMs: 15_000,
  unreadMs: 10_000,
  backlogBytes: 256 * 1024,
  perAgent: 20,
  perProcess: 5_000,
  reconnectSpreadMs: 5_000,
};

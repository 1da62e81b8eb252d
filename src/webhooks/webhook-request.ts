import type { OutgoingRequest, Outcome } from '../egress/guarded-client.js';
import { signedHeaders } from './standard-webhooks.js';

export type Message = {
  /** Of the event: the same in every try. */
  readonly id: string;
  /** The very text that is signed and sent. */
  readonly document: string;
  /** It was asked for again. */
  readonly isReplay: boolean;
};

/** @param now ms since the epoch */
export function webhookRequest(url: string, keys: readonly Buffer[], message: Message, now: number): OutgoingRequest {
  const { id, document, isReplay } = message;
  return {
    method: 'POST',
    url,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'Ringline/1 (webhook)',
      ...(isReplay && { 'ringline-replay': 'true' }),
      ...signedHeaders(keys, id, Math.floor(now / 1000), document),
    },
    body: document,
  };
}

/** A try as it is stored and told. */
export type Try = {
  readonly durationMs: number;
  /** HTTP status; null when no answer came. */
  readonly status: number | null;
  /** In words; null when it was taken. */
  readonly error: string | null;
  /** The beginning of the answer; null when none came. */
  readonly excerpt: string | null;
};

export function tryOf(outcome: Outcome): Try {
  const { durationMs } = outcome;
  if (outcome.kind === 'failed') return { durationMs, status: null, error: outcome.error, excerpt: null };
  const { status, excerpt } = outcome;
  return { durationMs, status, error: errorOf(status), excerpt };
}

export const GONE = 'It answered 410: it is gone for good.';

function errorOf(status: number): string | null {
  if (status >= 200 && status < 300) return null;
  if (status === 410) return GONE;
  if (status >= 300 && status < 400) return `It answered ${status}; redirects are not followed.`;
  return `It answered ${status}.`;
}

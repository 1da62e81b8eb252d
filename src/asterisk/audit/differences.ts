import type { Call } from '../../calls/domain/call.js';

/** Times of two witnesses that are further apart are not the same, ms. */
const SAME_MOMENT_MS = 1_000;

/**
 * In what a record and the log are not the same: there is no record, it was never closed, it has another time, it came out
 * otherwise, or there are two of it.
 */
export const differenceKinds = ['missing', 'open', 'times', 'outcome', 'doubled'] as const;
export type DifferenceKind = (typeof differenceKinds)[number];

export type Difference = {
  readonly kind: DifferenceKind;
  readonly field: string;
  /** What the record says, and what it says with the log. Null: nothing. */
  readonly record: string | number | null;
  readonly log: string | number | null;
};

/**
 * Compares a record as it is stored with what it is by the log. Pure.
 * @param stored Null where there is none.
 */
export function differencesOf(stored: Call | null, byLog: Call): readonly Difference[] {
  if (stored === null) return [{ kind: 'missing', field: 'outcome', record: null, log: byLog.outcome }];
  const found: Difference[] = [];
  const tell = (
    kind: DifferenceKind,
    field: 'startedAt' | 'answeredAt' | 'endedAt' | 'outcome' | 'talkSeconds',
  ): void => void found.push({ kind, field, record: stored[field], log: byLog[field] });
  if (stored.endedAt === null && byLog.endedAt !== null) tell('open', 'endedAt');
  else if (isFarApart(stored.endedAt, byLog.endedAt)) tell('times', 'endedAt');
  if (isFarApart(stored.startedAt, byLog.startedAt)) tell('times', 'startedAt');
  if (isFarApart(stored.answeredAt, byLog.answeredAt)) tell('times', 'answeredAt');
  // An open record counts no time yet.
  if (stored.endedAt !== null && Math.abs(stored.talkSeconds - byLog.talkSeconds) > 1) tell('times', 'talkSeconds');
  if (stored.endedAt !== null && stored.outcome !== byLog.outcome) tell('outcome', 'outcome');
  return found;
}

function isFarApart(one: string | null, other: string | null): boolean {
  if (one === null || other === null) return one !== other;
  return Math.abs(Date.parse(one) - Date.parse(other)) > SAME_MOMENT_MS;
}

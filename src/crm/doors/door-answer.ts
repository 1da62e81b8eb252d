import type { ProblemDetails, ProblemType } from '../../common/problems.js';
import type { DialResult, DoorWish } from '../port/door.js';

/** What a door answers to a wish, as it is kept for the same request when it comes again. */
export type DoorAnswer =
  | { readonly kind: 'placed'; readonly callId: string }
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly problem: ProblemType; readonly details: ProblemDetails };

export type DialWish = Extract<DoorWish, { wish: 'dial' }>;

/** What the CRM is told of, by the session's `tellDialled`. */
export type DialTelling = { readonly wish: DialWish; readonly result: DialResult };

/** Null: it is not about a call. */
export function resultOf(answer: DoorAnswer): DialResult | null {
  switch (answer.kind) {
    case 'placed':
      return { kind: 'placed', callId: answer.callId };
    case 'refused':
      return { kind: 'refused', problem: answer.problem, why: answer.details.detail };
    case 'done':
      return null;
  }
}

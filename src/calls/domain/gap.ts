import type { Fact } from './fact.js';

/**
 * What Ringline did not hear of a call when it happened: anything for a while, or that the call began, that a leg answered,
 * that it ended, or that the PBX was restarted.
 */
export const gapKinds = ['not-heard', 'beginning-missed', 'answer-missed', 'end-missed', 'pbx-restarted'] as const;
export type GapKind = (typeof gapKinds)[number];

/**
 * That something was missed. Changes nothing of a record: what was missed is told by facts of its own.
 * @param leg Of the party it is about; the call's own id for what concerns the whole call.
 * @param at From when on nothing was heard, or when the missed thing happened as far as is known, ms by the switch's clock.
 * @param until When the switch was heard again, or when it was found out.
 */
export function gapFact(leg: string, what: GapKind, at: number, until: number): Fact {
  const key = what === 'not-heard' ? `${what} ${at}` : what;
  return { leg, kind: 'gap', key, at, source: 'ringline', data: { what, until } };
}

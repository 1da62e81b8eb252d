import type { OutcomeReason } from './call.js';
import type { Fact, LegSide } from './fact.js';
import type { TransferAsk } from './plan.js';

/** One transfer of a call, as its facts tell it. */
export type TransferState = TransferAsk & {
  /** Among those of the call, from 1. */
  readonly place: number;
  readonly at: number;
  readonly completeAsked: boolean;
  readonly cancelAsked: boolean;
  /** The other party went from one leg to another. */
  readonly done: { readonly at: number; readonly from: string; readonly to: string } | null;
  /** It stayed with who had it. */
  readonly failed: { readonly at: number; readonly reason: OutcomeReason } | null;
};

type Transfers = { readonly transfers: readonly TransferState[] };

/** The key of what is told about a call's transfer. */
export function transferKey(place: number): string {
  return String(place);
}

/** @param facts Those that concern the whole call. */
export function gatherTransfers(facts: readonly Fact[]): TransferState[] {
  const find = <K extends Fact['kind']>(kind: K, key: string): Extract<Fact, { kind: K }> | undefined =>
    facts.find((fact): fact is Extract<Fact, { kind: K }> => fact.kind === kind && fact.key === key);
  return facts
    .filter((fact) => fact.kind === 'transfer-asked')
    .map(({ key, at, data }): TransferState => {
      const [done, failed] = [find('transferred', key), find('transfer-failed', key)];
      return {
        ...data,
        place: Number(key),
        at,
        completeAsked: find('transfer-complete-asked', key) !== undefined,
        cancelAsked: find('transfer-cancel-asked', key) !== undefined,
        done: done === undefined ? null : { at: done.at, ...done.data },
        failed: failed === undefined || done !== undefined ? null : { at: failed.at, ...failed.data },
      };
    })
    .toSorted((a, b) => a.place - b.place);
}

export function isUnderWay({ done, failed }: TransferState): boolean {
  return done === null && failed === null;
}

/** The call's transfer that is under way; null when there is none. */
export function openTransfer({ transfers }: Transfers): TransferState | null {
  const last = transfers.at(-1);
  return last !== undefined && isUnderWay(last) ? last : null;
}

/**
 * When a leg of ours had the other party: who is rung for a transfer has it from then on, who transfers it has it until then.
 * Null for who never had it, as one who was only consulted.
 */
export function tenure(
  { transfers }: Transfers,
  leg: { readonly id: string; readonly transfer: number | null; readonly plannedAt: number | null },
): { readonly from: number; readonly until: number | null } | null {
  const until = transfers.find(({ done }) => done?.from === leg.id)?.done?.at ?? null;
  // What it was made for is told with its plan.
  if (leg.plannedAt === null) return null;
  if (leg.transfer === null) return { from: -Infinity, until };
  const got = transfers.find(({ done }) => done?.to === leg.id)?.done;
  return got == null ? null : { from: got.at, until };
}

/** True for a party of ours that left while its transfer was under way, or by it: that ended nothing. */
export function leftByTransfer(
  { transfers }: Transfers,
  leg: { readonly id: string; readonly side: LegSide },
  at: number,
): boolean {
  return (
    leg.side === 'agent' &&
    transfers.some(
      ({ at: askedAt, done, failed }) =>
        done?.from === leg.id || (askedAt <= at && at <= ((done ?? failed)?.at ?? Infinity)),
    )
  );
}

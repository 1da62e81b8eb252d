import type { CrmSimulator } from '../../crm/crm-simulator.js';
import type { SimulatedRequest } from '../../crm/simulator-server.js';
import type { Chance } from '../../replay/chance.js';

export const faultKinds = ['lost', 'tooOften', 'outOfOrder', 'cut'] as const;
export type FaultKind = (typeof faultKinds)[number];
export type FaultCounts = Record<FaultKind, number>;

/** Of a hundred requests. A lost answer is that of a request which was carried out. */
const shares: Readonly<Record<FaultKind, number>> = { lost: 5, tooOften: 1, outOfOrder: 2, cut: 1 };

/** Requests that fail at random. */
export type RandomFaults = {
  readonly counts: FaultCounts;
  /** From now on none does. */
  readonly heal: () => void;
};

/**
 * Lets requests fail at random from now on until it is healed, and counts them.
 * @param mayLose whether the answer to a request may be lost, once it is carried out
 */
export function failAtRandom(
  crm: CrmSimulator,
  chance: Chance,
  mayLose: (request: SimulatedRequest) => boolean,
): RandomFaults {
  const counts: FaultCounts = { lost: 0, tooOften: 0, outOfOrder: 0, cut: 0 };
  let drawn: FaultKind | null = null;
  let isHealed = false;
  const draw = (request: SimulatedRequest): FaultKind | null => {
    if (isHealed) return null;
    let left = chance.next() * 100;
    const kind = faultKinds.find((one) => (left -= shares[one]) < 0) ?? null;
    return kind === 'lost' && !mayLose(request) ? 'cut' : kind;
  };
  // Asked in this order for each request, until one is met: the first draws, for all.
  const meets =
    (kind: FaultKind, isFirst = false) =>
    (request: SimulatedRequest): boolean => {
      if (isFirst) drawn = draw(request);
      if (drawn !== kind) return false;
      counts[kind] += 1;
      return true;
    };
  const times = Number.MAX_SAFE_INTEGER;
  crm.fail({ what: 'lost-answer', times, matches: meets('lost', true) });
  crm.fail({ what: 'status', times, status: 429, headers: { 'retry-after': '1' }, matches: meets('tooOften') });
  crm.fail({ what: 'html', times, status: 502, matches: meets('outOfOrder') });
  crm.fail({ what: 'refused', times, matches: meets('cut') });
  return { counts, heal: () => void (isHealed = true) };
}

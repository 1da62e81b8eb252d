import type { Queries } from '../blocked-numbers/block-list.js';
import { Problem } from '../common/problems.js';
import type { LineOutbound } from '../lines/line.schema.js';
import { formatForTrunk } from '../numbers/trunk-format.js';
import type { OutsidePhone } from './domain/plan.js';
import { readOutsideNumber, type DialingTenant } from './outside-number.js';

/** An outside number of an agent, as it is stored. */
export type OutsideDevice = {
  readonly agentId: string;
  /** E.164. */
  readonly number: string;
  readonly confirm: 'press-1' | 'none';
};

/**
 * The outside numbers of agents that a line may ring now: rules and block list may have changed since they were stored.
 * @param outbound The line's way out; null: it rings none.
 */
export async function outsidePhones(
  source: Queries,
  tenant: DialingTenant,
  devices: readonly OutsideDevice[],
  outbound: LineOutbound | null,
): Promise<readonly OutsidePhone[]> {
  if (outbound === null) return [];
  const { endpoint, ...format } = outbound;
  const read = await Promise.all(
    devices.map(async ({ agentId, number: text, confirm }): Promise<OutsidePhone | null> => {
      const number = await readOutsideNumber(source, tenant, text).catch((error: unknown) => {
        if (error instanceof Problem) return null;
        throw error;
      });
      if (number === null) return null;
      const trunk = { endpoint, number: formatForTrunk(number.e164, format, tenant.region) };
      return { agentId, number, trunk, guarded: confirm === 'press-1' };
    }),
  );
  return read.filter((phone) => phone !== null);
}

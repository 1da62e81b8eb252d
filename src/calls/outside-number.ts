import type { DataSource } from 'typeorm';
import { findBlocking } from '../blocked-numbers/block-list.js';
import { Problem } from '../common/problems.js';
import { checkDial } from '../numbers/dial-rules.js';
import { patternsOfNumber } from '../numbers/number-pattern.js';
import { parsePhoneNumber } from '../numbers/phone-number.js';
import type { Tenant } from '../tenancy/tenant.entity.js';
import type { CallNumber } from './domain/call.js';

/** An outside number that the tenant may call. */
export type OutsideNumber = CallNumber & { readonly e164: string };

/**
 * Reads a number that somebody wants to be called, by the tenant's dial rules and block list.
 * @throws {Problem} `invalid-number`, `number-blocked`, about the field `to`
 */
export async function readOutsideNumber(
  source: DataSource,
  { id: tenantId, region, dialRules }: Pick<Tenant, 'id' | 'region' | 'dialRules'>,
  to: string,
): Promise<OutsideNumber> {
  const verdict = checkDial(to, region, dialRules);
  if (!verdict.ok) throw new Problem(verdict.problem, { detail: verdict.detail, field: 'to' });
  const [blockedBy] = await findBlocking(source, [{ tenantId, patterns: patternsOfNumber(verdict.e164) }]);
  if (blockedBy != null)
    throw new Problem('number-blocked', { detail: 'The number is on the tenant’s block list.', field: 'to' });
  return { ...parsePhoneNumber(to, region), e164: verdict.e164 };
}

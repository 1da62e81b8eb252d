import { findBlocking, type Queries } from '../blocked-numbers/block-list.js';
import { Problem } from '../common/problems.js';
import { checkDial } from '../numbers/dial-rules.js';
import { patternsOfNumber } from '../numbers/number-pattern.js';
import { parsePhoneNumber } from '../numbers/phone-number.js';
import type { Tenant } from '../tenancy/tenant.entity.js';
import type { CallNumber } from './domain/call.js';

/** An outside number that the tenant may call. */
export type OutsideNumber = CallNumber & { readonly e164: string };

export type DialingTenant = Pick<Tenant, 'id' | 'region' | 'dialRules'>;

/**
 * Reads a number that somebody wants to be called, by the tenant's dial rules and block list.
 * @throws {Problem} `invalid-number`, `number-blocked`, about the field
 */
export async function readOutsideNumber(
  source: Queries,
  { id: tenantId, region, dialRules }: DialingTenant,
  to: string,
  field = 'to',
): Promise<OutsideNumber> {
  const verdict = checkDial(to, region, dialRules);
  if (!verdict.ok) throw new Problem(verdict.problem, { detail: verdict.detail, field });
  const [blockedBy] = await findBlocking(source, [{ tenantId, patterns: patternsOfNumber(verdict.e164) }]);
  if (blockedBy != null)
    throw new Problem('number-blocked', { detail: 'The number is on the tenant’s block list.', field });
  return { ...parsePhoneNumber(to, region), e164: verdict.e164 };
}

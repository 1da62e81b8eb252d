import { findInPlan, type PlanNumber } from '../../src/numbers/numbering-plan.js';
import { parsePhoneNumber } from '../../src/numbers/phone-number.js';
import type { KeyedChance } from './keyed-chance.js';

const TRIES = 80;

/**
 * Another number for a run of digits (and a `+` before it): as long, of the same country and type, and the same one however
 * the number is written. What is no public number stays none.
 * @param regions ISO 3166 countries in which the stream's tenants write numbers.
 */
export function scrubNumber(written: string, regions: readonly string[], chance: KeyedChance): string {
  const e164 = regions.map((region) => parsePhoneNumber(written, region).e164).find((found) => found !== null);
  const plan = e164 === undefined ? null : inPlan(e164);
  if (plan === null || !written.endsWith(plan.nationalDigits)) return otherDigits(written, regions, chance);
  return written.slice(0, -plan.nationalDigits.length) + otherSubscriber(plan, chance);
}

function inPlan(e164: string): PlanNumber | null {
  return findInPlan({ international: true, digits: e164.slice(1) }, 'US');
}

/** National digits of a number like this one. Where a plan is narrow, some of its first digits stay. */
function otherSubscriber(plan: PlanNumber, chance: KeyedChance): string {
  const { nationalDigits, callingCode, e164 } = plan;
  for (const kept of [0, 1, 2, 3]) {
    for (let i = 0; i < TRIES; i++) {
      const rest = chance.numbers(`number ${kept} ${i}`, e164, nationalDigits.length - kept, 10).join('');
      const candidate = nationalDigits.slice(0, kept) + rest;
      const found = inPlan(`+${callingCode}${candidate}`);
      if (
        candidate !== nationalDigits &&
        found?.nationalDigits === candidate &&
        found.country === plan.country &&
        found.type === plan.type &&
        found.valid === plan.valid
      )
        return candidate;
    }
  }
  return chance.numbers('number', e164, nationalDigits.length, 10).join('');
}

/** Other digits that are no public number either; a zero or two at the start stay, since most plans give them a meaning. */
function otherDigits(written: string, regions: readonly string[], chance: KeyedChance): string {
  const [, start = '', rest = ''] = /^(\+?0{0,2})(\d*)$/.exec(written) ?? [];
  for (let i = 0; i < TRIES; i++) {
    const [first = 0, ...others] = chance.numbers(`digits ${i}`, rest, rest.length, 10);
    const digits = rest === '' ? '' : [first === 0 ? 1 + ((others[0] ?? i) % 9) : first, ...others].join('');
    const candidate = start + digits;
    if (candidate !== written && regions.every((region) => parsePhoneNumber(candidate, region).e164 === null))
      return candidate;
  }
  return start + chance.numbers('digits', rest, rest.length, 10).join('');
}

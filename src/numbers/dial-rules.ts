import { z } from 'zod';
import { isEmergencyNumber } from './emergency-numbers.js';
import { numberPattern, patternsOfNumber } from './number-pattern.js';
import {
  callingCodeOf,
  findInPlan,
  isRegion,
  isShortForm,
  regionsOfCallingCode,
  type PlanNumber,
} from './numbering-plan.js';
import { isSatelliteRange } from './satellite-ranges.js';
import { readWrittenNumber, type WritingFault, type WrittenNumber } from './written-number.js';

/**
 * What a tenant may dial. The defaults are the promise: own country only, and whatever a tenant sets, never emergency,
 * short, premium, shared-cost, personal or satellite numbers. There is deliberately no switch for those: they are where
 * toll fraud earns its money, and a stolen key must not be able to turn them on.
 */
export const dialRulesSchema = z.strictObject({
  countries: z
    .array(z.string().refine(isRegion, { error: 'must be an ISO 3166 country with telephone numbers, such as DE' }))
    .max(250)
    .default([])
    .meta({
      description:
        'Countries that may be dialled, ISO 3166. Empty: the tenant’s own country only. Not empty: exactly these, so the own country has to be listed too.',
    }),
  blockedNumbers: z
    .array(
      z.string().regex(numberPattern, { error: 'must be E.164, such as +14155550123, or a prefix such as +1415*' }),
    )
    .max(1000)
    .default([])
    .meta({
      description:
        'Numbers never dialled: E.164, or the beginning of numbers followed by `*`. The tenant’s own list, which holds for its callers too, is `/v1/blocked-numbers`.',
    }),
});
export type DialRules = z.output<typeof dialRulesSchema>;

/** Every reason for not dialling a number, and the problem type an API user gets for it. */
export const dialRefusals = {
  'invalid-number': 'invalid-number',
  'emergency-number': 'number-blocked',
  'short-number': 'number-blocked',
  'premium-number': 'number-blocked',
  'shared-cost-number': 'number-blocked',
  'personal-number': 'number-blocked',
  'satellite-number': 'number-blocked',
  'unknown-number-type': 'number-blocked',
  'foreign-country': 'number-blocked',
  'blocked-number': 'number-blocked',
} as const;
export type DialRefusal = keyof typeof dialRefusals;

export type DialVerdict =
  | { readonly ok: true; readonly e164: string }
  | {
      readonly ok: false;
      readonly problem: (typeof dialRefusals)[DialRefusal];
      readonly reason: DialRefusal;
      /** A sentence for a person. Never repeats what was sent, so it is safe in logs and pages. */
      readonly detail: string;
    };

/**
 * Decides whether `to` may be dialled by a tenant of `region` (ISO 3166). Never throws. Most specific reason first:
 * what kind of number it is, then whose country, then the tenant's own list.
 */
export function checkDial(to: string, region: string, rules: DialRules): DialVerdict {
  const written = readWrittenNumber(to);
  if (typeof written === 'string') return refuse('invalid-number', writingFaults[written]);
  const number = findInPlan(written, region);
  if (reachesEmergency(written, number, region)) {
    return refuse('emergency-number', 'Emergency numbers are never dialled from here; use the phone.');
  }
  const refusedKind = globalServiceKind(written, number) ?? (number?.valid ? typeRefusal(number) : null);
  if (refusedKind) return refusedKind;
  if (isShortForm(written, number)) {
    return refuse('short-number', 'Short numbers and service codes are not dialled; write the whole number.');
  }
  if (!number?.valid) return refuse('invalid-number', invalidDetail(number));
  if (!isAllowedCountry(number, rules.countries.length > 0 ? rules.countries : [region])) {
    return refuse(
      'foreign-country',
      `The dial rules do not allow calls to ${number.country ?? 'numbers of no country'}.`,
    );
  }
  const patterns = patternsOfNumber(number.e164);
  if (rules.blockedNumbers.some((blocked) => patterns.includes(blocked))) {
    return refuse('blocked-number', 'The tenant’s dial rules block this number.');
  }
  return { ok: true, e164: number.e164 };
}

/** By type of the numbering plan. A new type of the library is a compile error here, not a dialled call. */
function typeRefusal(number: PlanNumber): DialVerdict | null {
  if (isSatelliteRange(number.e164)) return refuseSatellite();
  switch (number.type) {
    case 'FIXED_LINE':
    case 'MOBILE':
    case 'FIXED_LINE_OR_MOBILE': // North America does not tell the two apart.
      return null;
    case 'TOLL_FREE': // The callee pays; suppliers and banks of a customer are reached this way.
    case 'VOIP': // National ranges at the price of a landline (DE 032, FR 09, GB 056); the satellite ones are out above.
    case 'UAN': // Company numbers at landline price (GB 03, CH 058, TR 444): the very numbers a CRM holds.
      return null;
    case 'PREMIUM_RATE':
      return refuse('premium-number', 'Premium-rate numbers are never dialled.');
    case 'SHARED_COST':
      return refuse(
        'shared-cost-number',
        'Shared-cost numbers, which charge the caller more than a landline, are never dialled.',
      );
    case 'PERSONAL_NUMBER': // Follow-me numbers: priced by whoever holds them (GB 070, US 500); a classic of toll fraud.
      return refuse('personal-number', 'Personal (follow-me) numbers are never dialled.');
    case 'PAGER': // Nobody there to talk to.
    case 'VOICEMAIL':
    case null:
      return refuse('unknown-number-type', 'It is not known as a landline, mobile, freephone or company number.');
    default:
      return refuseUnknownType(number.type);
  }
}

function refuseUnknownType(_type: never): DialVerdict {
  return refuse('unknown-number-type', 'It is not known as a landline, mobile, freephone or company number.');
}

function refuseSatellite(): DialVerdict {
  return refuse('satellite-number', 'Satellite and international network numbers are never dialled.');
}

/**
 * Calling codes of no country (ITU-T E.164.1, E.164 list of assigned codes). Decided by code because the library knows
 * only parts of them. +800 stays a freephone number of no country, so it falls to the country rule.
 */
function globalServiceKind(written: WrittenNumber, number: PlanNumber | null): DialVerdict | null {
  const e164 = written.international ? `+${written.digits}` : number?.e164;
  if (e164 === undefined || !/^\+\d{7,15}$/.test(e164)) return null;
  if (/^\+(?:87[0-4]|88[123])/.test(e164)) return refuseSatellite(); // 871-874: Inmarsat until 2009
  if (e164.startsWith('+979')) return refuse('premium-number', 'Premium-rate numbers are never dialled.');
  if (e164.startsWith('+808'))
    return refuse('shared-cost-number', 'International shared-cost numbers are never dialled.');
  if (e164.startsWith('+878')) return refuse('personal-number', 'Universal personal numbers are never dialled.');
  if (e164.startsWith('+888')) return refuse('unknown-number-type', 'Numbers for disaster relief are never dialled.');
  return null;
}

/** 112, +112, 00112, 0112, +49112, 011 44 999, 9-911: each way a hand or a program writes an emergency number. */
function reachesEmergency(written: WrittenNumber, number: PlanNumber | null, region: string): boolean {
  const { digits } = written;
  if (isEmergencyNumber(digits, region)) return true;
  if (number?.valid && !isShortForm(written, number)) return false;
  if (!written.international) {
    // A trunk prefix (0, 8, 1) or the 0 or 9 that old PBXes want for an outside line.
    if (/^[0189]/.test(digits) && isEmergencyNumber(digits.slice(1), region)) return true;
    // Through the region's international prefix: another country's own numbers.
    const abroad = number !== null && number.callingCode !== callingCodeOf(region);
    if (abroad && isEmergencyIn(number.callingCode, number.nationalDigits)) return true;
  }
  const full = written.international ? digits : digits.startsWith('00') ? digits.slice(2) : null;
  if (full === null) return false;
  return isEmergencyNumber(full, region) || [1, 2, 3].some((n) => isEmergencyIn(full.slice(0, n), full.slice(n)));
}

function isEmergencyIn(callingCode: string, nationalDigits: string): boolean {
  return regionsOfCallingCode(callingCode).some((region) => isEmergencyNumber(nationalDigits, region));
}

function isAllowedCountry(number: PlanNumber, countries: readonly string[]): boolean {
  if (number.country === null) return false;
  if (countries.includes(number.country)) return true;
  // A freephone range is shared by all countries of one plan (+1 800, +44 800); the library names just one of them.
  return number.type === 'TOLL_FREE' && countries.some((country) => callingCodeOf(country) === number.callingCode);
}

const writingFaults: Readonly<Record<WritingFault, string>> = {
  empty: 'The number is empty.',
  characters: 'A number may hold only digits, spaces, ( ) . / - and one + at the start.',
  'too-long': 'The text is longer than any telephone number.',
};

function invalidDetail(number: PlanNumber | null): string {
  if (!number) return 'No numbering plan knows this number; write it in full, with + and the country code.';
  const where = number.country ?? `country code ${number.callingCode}`;
  return number.possible
    ? `The number is in no range of ${where} that is in use.`
    : `The number is too short or too long for ${where}.`;
}

function refuse(reason: DialRefusal, detail: string): DialVerdict {
  return { ok: false, problem: dialRefusals[reason], reason, detail };
}

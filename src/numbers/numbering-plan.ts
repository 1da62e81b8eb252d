import {
  getCountries,
  getCountryCallingCode,
  isSupportedCountry,
  parsePhoneNumberFromString,
  type CountryCode,
  type PhoneNumber as LibraryNumber,
  type PhoneNumberType,
} from 'libphonenumber-js/max';
import type { WrittenNumber } from './written-number.js';

// The only file beside trunk-format.ts that talks to libphonenumber. Always `/max`: the default metadata does not know
// number types outside mobile and says `undefined` for premium and for most of the +1 countries.

/** What Ringline stores and dials: +, 7 to 15 digits. (E.164 allows fewer; no carrier routes them from abroad.) */
export const e164Pattern = /^\+[1-9]\d{6,14}$/;

/** A number found in the world's numbering plans. */
export interface PlanNumber {
  readonly e164: string;
  readonly callingCode: string;
  /** National significant number: no trunk prefix. */
  readonly nationalDigits: string;
  /** ISO 3166 region by the plan, not by prefix (+1 876 is JM). Null for codes of no country (+800, +870 ...). */
  readonly country: string | null;
  readonly type: PhoneNumberType | null;
  /** The range is in use; `possible` is only about the length. */
  readonly valid: boolean;
  readonly possible: boolean;
  /** People of that country write a trunk prefix (0, 8, 06) before `nationalDigits`. */
  readonly hasTrunkPrefix: boolean;
}

const regionsByCallingCode: ReadonlyMap<string, readonly string[]> = (() => {
  const map = new Map<string, string[]>();
  for (const country of getCountries()) {
    const code = getCountryCallingCode(country);
    map.set(code, [...(map.get(code) ?? []), country]);
  }
  return map;
})();

export function regionsOfCallingCode(callingCode: string): readonly string[] {
  return regionsByCallingCode.get(callingCode) ?? [];
}

/** Whether the numbering plan of this ISO 3166 region is known (245 are; AQ, BV, GS ... have no telephones). */
export function isRegion(region: string): region is CountryCode {
  return isSupportedCountry(region);
}

export function callingCodeOf(region: string): string | null {
  return isRegion(region) ? getCountryCallingCode(region) : null;
}

/** Looks a written number up as somebody in `region` means it. Null when no plan can even split it. */
export function findInPlan(written: WrittenNumber, region: string): PlanNumber | null {
  if (written.international) return lookUp(`+${written.digits}`, region);
  const local = lookUp(written.digits, region);
  // Bare digits that begin with the region's own calling code are what trunks send as E.164. Where lengths vary (DE, AT) they
  // could be a subscriber's without the trunk prefix as well, which nobody writes: 49211... is Düsseldorf, not 04921 Emden.
  if (
    local?.hasTrunkPrefix &&
    local.nationalDigits === written.digits &&
    written.digits.startsWith(local.callingCode)
  ) {
    const own = lookUp(`+${written.digits}`, region);
    if (own?.valid && own.callingCode === local.callingCode) return own;
  }
  // 00 is what the region's own plan says it is (KR: 001 + country code). Where the plan has no use for it, as in the
  // US and RU, it is the prefix that people write on cards and that switches abroad send.
  if (local?.valid || !written.digits.startsWith('00')) return local;
  return lookUp(`+${written.digits.slice(2)}`, region) ?? local;
}

/**
 * A bare number so short that it may be an extension or a service code. Up to four digits always; up to six where the
 * plan has a trunk prefix that was not written: 11833 is German directory enquiries, 033 11833 would be a subscriber.
 * Such a subscriber is still reached by writing the whole number.
 */
export function isShortForm(written: WrittenNumber, number: PlanNumber | null): boolean {
  if (written.international || written.digits.length > 6) return false;
  if (!number?.valid || written.digits.length <= 4) return true;
  return number.hasTrunkPrefix && written.digits === number.nationalDigits;
}

/** A record is folded anew with each fact, and reads the same few numbers each time. */
const lookedUp = new Map<string, PlanNumber | null>();
const MOST_LOOKED_UP = 2_000;

function lookUp(text: string, region: string): PlanNumber | null {
  const key = `${region} ${text}`;
  const known = lookedUp.get(key);
  if (known !== undefined) return known;
  const found = parsePhoneNumberFromString(text, {
    ...(isRegion(region) ? { defaultCountry: region } : {}),
    extract: false,
  });
  const number = found ? toPlanNumber(found) : null;
  if (lookedUp.size >= MOST_LOOKED_UP) lookedUp.clear();
  lookedUp.set(key, number);
  return number;
}

function toPlanNumber(found: LibraryNumber): PlanNumber {
  const nationalDigits = found.nationalNumber;
  return {
    e164: found.number,
    callingCode: found.countryCallingCode,
    nationalDigits,
    country: found.country ?? null,
    type: found.getType() ?? null,
    valid: found.isValid() && e164Pattern.test(found.number),
    possible: found.isPossible() && e164Pattern.test(found.number),
    hasTrunkPrefix: found.formatNational().replace(/\D/g, '') !== nationalDigits,
  };
}

/** As people of its country write it, trunk prefix included. @param e164 valid or not; null when no plan can split it */
export function writtenNationally(e164: string): string | null {
  return parsePhoneNumberFromString(e164)?.formatNational() ?? null;
}

import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { z } from 'zod';
import { callingCodeOf, e164Pattern, isRegion } from './numbering-plan.js';

/** How a trunk wants numbers, and what it wants before them (an access code of the carrier or of a PBX behind it). */
export const trunkFormatSchema = z.strictObject({
  format: z.enum(['plus-e164', 'e164', 'national']),
  prefix: z
    .string()
    .regex(/^[0-9*#+]{0,8}$/, { error: 'must be at most 8 digits, *, # or +' })
    .optional(),
});
export type TrunkFormat = z.output<typeof trunkFormatSchema>;

/**
 * Writes an E.164 number the way a trunk in `region` (the tenant's) dials it.
 * `national` is for the region's own calling code; anything abroad gets the region's international prefix, because a
 * French 06... sent to a German trunk would ring a German. Where a region has no single such prefix (BR wants a carrier
 * code) the number goes out with +: a trunk that cannot take it refuses the call, it does not ring a stranger.
 * @throws RangeError when `e164` or the prefix is not what its pattern says; both were validated long before.
 */
export function formatForTrunk(e164: string, trunk: Readonly<TrunkFormat>, region: string): string {
  if (!e164Pattern.test(e164)) throw new RangeError('not an E.164 number');
  const { format, prefix = '' } = trunkFormatSchema.parse({ format: trunk.format, prefix: trunk.prefix });
  switch (format) {
    case 'plus-e164':
      return prefix + e164;
    case 'e164':
      return prefix + e164.slice(1);
    case 'national':
      return prefix + nationalDigits(e164, region);
  }
}

/** As people of its own country write it: `030 123456`. Null where no plan knows the number. */
export function writtenNationally(e164: string): string | null {
  return parsePhoneNumberFromString(e164)?.formatNational() ?? null;
}

function nationalDigits(e164: string, region: string): string {
  const number = parsePhoneNumberFromString(e164);
  if (!number || !isRegion(region)) return e164;
  if (number.countryCallingCode === callingCodeOf(region)) return onlyDigits(number.formatNational());
  // `undefined` despite its type where the region has no single international prefix.
  const abroad = number.format('IDD', { fromCountry: region }) as string | undefined;
  return abroad ? onlyDigits(abroad) : e164;
}

function onlyDigits(text: string): string {
  return text.replace(/\D/g, '');
}

import type { CrmNumber } from '../crm/port/crm-objects.js';
import { cleanText, inAscii, readNumberText } from '../numbers/number-text.js';
import { findInPlan, writtenNationally, type PlanNumber } from '../numbers/numbering-plan.js';
import { readNumber, type NumberReading } from '../numbers/phone-number.js';
import { readingsOf, splitField, splitPart } from './split-field.js';

/** A number in the forms in which it may be met. */
export type NumberForms = {
  /** As it was written. */
  readonly given: string;
  /** As the tenant's country reads it; null when it cannot. */
  readonly e164: string | null;
  /** Digits without calling code and trunk prefix. Where it could not be read, all of them but a trunk prefix. */
  readonly national: string | null;
  /** Its calling code was written: `e164` is no guess by the tenant's country. */
  readonly isInternational: boolean;
  readonly lastDigits: string | null;
  /** Behind the number; of a short number, itself. */
  readonly extension: string | null;
};

/** A number whose owner is sought. */
export type SoughtNumber = Omit<NumberForms, 'given' | 'isInternational'> & {
  /** By which an agent's pick is remembered. */
  readonly key: string;
  /** As the port tells it a CRM. */
  readonly crm: CrmNumber;
};

/** A local number without its area code has so many digits at least; two numbers that end alike are weak evidence anyway. */
export const LAST_DIGITS = 7;
/** A prefix that leads abroad, E.164, and an extension: what has more is several numbers. */
const MOST_DIGITS = 20;

/** Every number in a field of a CRM, as somebody in `region` (ISO 3166) means them; none of what is no number. */
export function formsOfField(field: string, region: string): readonly NumberForms[] {
  const forms = splitField(inAscii(keepingLines(field))).flatMap((part) => formsOfPart(part.trim(), region));
  const keyOf = ({ e164, national, extension }: NumberForms): string => `${e164 ?? national} ${extension}`;
  return [...new Map(forms.toReversed().map((form) => [keyOf(form), form])).values()].toReversed();
}

/**
 * The forms of a call's number, or of one that somebody typed. Null when nobody can be found by it.
 * @param e164 as it was read already, where it was
 */
export function soughtNumber(raw: string, region: string, e164: string | null = null): SoughtNumber | null {
  const reading = readOne(raw, region);
  const known = e164 ?? reading.number.e164;
  const forms = known === null ? unreadForms(reading) : publicForms(known, reading, region);
  if (forms === null) return null;
  const { national, lastDigits, extension } = forms;
  const digits = (known ?? reading.number.raw).replace(/\D/g, '');
  const crm = { raw, e164: known, national: known === null ? null : writtenNationally(known), digits };
  return { key: known ?? digits, e164: known, national, lastDigits, extension, crm };
}

function formsOfPart(part: string, region: string): readonly NumberForms[] {
  const whole = readOne(part, region);
  // Much of what parts two numbers stands inside of one as well: `+49 (0)30/12 34 56`.
  const { e164: e164OfAll } = whole.number;
  if (e164OfAll !== null && digitsOf(part).length <= MOST_DIGITS) return [publicForms(e164OfAll, whole, region)];
  return splitPart(part).flatMap((text) => {
    const reading = readOne(text, region);
    const { e164 } = reading.number;
    return (e164 === null ? unreadForms(reading) : publicForms(e164, reading, region)) ?? [];
  });
}

function readOne(text: string, region: string): NumberReading {
  const texts = readingsOf(inAscii(cleanText(text)));
  const readings = texts.map((reading) => readNumber(reading, region));
  const first = readings[0] ?? readNumber(text, region);
  if (first.kind !== 'unknown' && (first.kind !== 'uri' || text.includes('@'))) return first;
  const meant = readings.find(({ kind }) => kind === 'public') ?? readings.find(({ kind }) => kind === 'extension');
  // `1-800-FLOWERS`: without its words a short number is left, which nobody wrote.
  if (meant === undefined || (meant.kind === 'extension' && digitsOf(first.number.raw).length > 6)) {
    const extension = texts.map((one) => readNumberText(one).extension).find((one) => one !== null);
    return { ...first, kind: 'unknown', extension: extension ?? null };
  }
  return { ...meant, number: { ...first.number, e164: meant.number.e164 } };
}

function publicForms(e164: string, { number, extension }: NumberReading, region: string): NumberForms {
  const plan = findInPlan({ international: true, digits: e164.slice(1) }, region);
  const national = plan?.nationalDigits ?? e164.slice(1);
  return {
    given: number.raw,
    e164,
    national,
    isInternational: plan === null || hasCallingCode(number.raw, plan),
    lastDigits: lastOf(national),
    extension,
  };
}

/** What precedes the national number is nothing, a trunk prefix, or the calling code, perhaps with more around it. */
function hasCallingCode(raw: string, { nationalDigits, callingCode }: PlanNumber): boolean {
  const digits = digitsOf(raw);
  const at = digits.lastIndexOf(nationalDigits);
  // Letters stood for some of its digits.
  if (at < 0) return raw.startsWith('+');
  return at > 2 || digits.slice(0, at).includes(callingCode);
}

function unreadForms({ number, kind, extension }: NumberReading): NumberForms | null {
  const given = number.raw;
  const nothing = { given, e164: null, national: null, isInternational: false, lastDigits: null };
  if (kind === 'extension') return { ...nothing, extension };
  if (kind !== 'unknown') return null;
  // Before it stands a calling code.
  const digits = digitsOf(number.raw.replace(/^.*\(0\)/, ''));
  const national = withoutTrunkPrefix(
    extension !== null && digits.endsWith(extension) ? digits.slice(0, -extension.length) : digits,
  );
  if (national.length < LAST_DIGITS || national.length > 20) return null;
  return { ...nothing, national, lastDigits: lastOf(national), extension };
}

/** Of a number of any country: 0 or, in plans of ten digits, 8 or 1. */
function withoutTrunkPrefix(digits: string): string {
  return /^[81]\d{10}$/.test(digits) ? digits.slice(1) : digits.replace(/^0+/, '');
}

function lastOf(digits: string): string | null {
  return digits.length < LAST_DIGITS ? null : digits.slice(-LAST_DIGITS);
}

function digitsOf(text: string): string {
  return text.replace(/\D/g, '');
}

function keepingLines(field: string): string {
  return field
    .split(/[\r\n\t\u2028\u2029]/)
    .map(cleanText)
    .join('\n');
}

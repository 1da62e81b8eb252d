import { cleanText, maxDialledChars, readNumberText, type NumberText } from './number-text.js';
import { findInPlan, isShortForm } from './numbering-plan.js';
import { readWrittenNumber, type WrittenNumber } from './written-number.js';

/** A number as the contract shows it: what was sent, what it means, what was displayed with it. */
export interface PhoneNumber {
  /** As received, cleaned of control characters, at most 64 characters. Untrusted text all the same. */
  readonly raw: string;
  readonly e164: string | null;
  /** Display name, cleaned, at most 128 characters. Untrusted text all the same. */
  readonly name: string | null;
}

/**
 * What was sent as a number. `public`: a subscriber of the telephone network, the only kind with `e164`. `extension`: a
 * short number inside a PBX. `anonymous`: somebody who shows no number. `service`: it means something to the switch or the
 * network and is nobody's own: feature codes, `s`, 112. `uri`: a SIP address that is no number. `unknown`: anything else.
 */
export type NumberKind = 'public' | 'extension' | 'anonymous' | 'service' | 'uri' | 'unknown';

/** A number that came from a switch or a person, with all that could be read from it. */
export interface NumberReading {
  readonly number: PhoneNumber;
  readonly kind: NumberKind;
  /** The short number itself, or what stood behind a public one; 1 to 7 digits. */
  readonly extension: string | null;
}

type Meaning = Omit<NumberReading, 'number'> & Pick<PhoneNumber, 'e164'>;

// A SIP user part or a display name may be kilobytes long; no number and no name of a person is.
const maxRawChars = 64;
const maxNameChars = 128;
// Bounds the work before anything looks at the text.
const maxReadChars = 1024;

/**
 * Reads what a person or a switch sent as a number, seen from `region` (ISO 3166). Never throws, whatever comes.
 * Takes E.164 with `+`, `00`, `011` and bare, national forms, extensions behind a number and by themselves, `tel:` and
 * `sip:` URIs, `"Ann" <...>`, digits of other scripts. What is not surely one subscriber has `e164: null`.
 */
export function readNumber(
  raw: string | null | undefined,
  region: string,
  name: string | null | undefined = null,
): NumberReading {
  const sent = raw ?? '';
  const text = cleanText(sent.slice(0, maxReadChars));
  const parts = readNumberText(text);
  // Read from the whole text, before it is shortened for keeping: a number cut off would be another number.
  const { e164, ...meaning } = sent.length > maxReadChars ? unknown : meaningOf(parts, region);
  const shownName = cleanText((name ?? '').slice(0, maxReadChars)) || cleanText(parts.name ?? '');
  return { number: { raw: cut(text, maxRawChars), e164, name: cut(shownName, maxNameChars) || null }, ...meaning };
}

/** As `readNumber`, what the contract shows of it. */
export function parsePhoneNumber(...sent: Parameters<typeof readNumber>): PhoneNumber {
  return readNumber(...sent).number;
}

const unknown: Meaning = { kind: 'unknown', e164: null, extension: null };
const anonymous: Meaning = { ...unknown, kind: 'anonymous' };
const service: Meaning = { ...unknown, kind: 'service' };

// What switches and carriers send for a caller who shows no number (`asterisk` is what Asterisk puts where it has none),
// and ANONYMOUS typed on a telephone's keys, as some gateways have it.
export const anonymousWords: readonly string[] = [
  '',
  'anonymous',
  'unknown',
  'unavailable',
  'private',
  'restricted',
  'withheld',
  'asterisk',
  '266696687',
  '+266696687',
  '00266696687',
];
// The start, hang-up, invalid ... extensions of Asterisk's dial plan: what it passes when nothing was dialled.
const dialPlanPattern = /^[shiteoa]$/i;
// Emergency numbers of every network (3GPP TS 22.101). Those of single countries are extensions elsewhere, and at home too:
// 101 is Russia's fire brigade and the first telephone of half its offices. What may be dialled is decided elsewhere.
const emergencyPattern = /^\+?(?:112|911)$/;
const featureCodePattern = /^[0-9*#]*[*#][0-9*#]*$/;
/** Hides or shows the own number for one call, before the number called (3GPP TS 22.030). */
const callerIdPrefixPattern = /^[*#]31#(?=.{3})/;
// Of a direct IP call, where the address is the only name.
const ipv4Pattern = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.|$)){4}$/;

function meaningOf({ dialled: whole, extension, isUri }: NumberText, region: string): Meaning {
  const otherwise: Meaning = isUri ? { ...unknown, kind: 'uri' } : unknown;
  if (whole.length > maxDialledChars) return otherwise;
  // Phones send `#` to say that the number is complete.
  const dialled = whole
    .replace(callerIdPrefixPattern, '')
    .replace(/(?<=^[^*#]+)#$/, '')
    .replace(/[[\]~·•∙]/g, ' ')
    .trim();
  if (dialled === '' && extension !== null) return { kind: 'extension', e164: null, extension };
  if (anonymousWords.includes(dialled.toLowerCase())) return isUri && dialled === '' ? otherwise : anonymous;
  if (dialPlanPattern.test(dialled) || featureCodePattern.test(dialled) || emergencyPattern.test(dialled))
    return service;
  if (ipv4Pattern.test(dialled)) return otherwise;
  const e164 = findE164(dialled, region);
  if (e164 !== null) return { kind: 'public', e164, extension };
  // In plans of fixed length, where `-12` cannot be part of the number. In Germany and Austria it is: it is dialled.
  const [, head, tail] = /^(.*[0-9)]) ?[-\u2010-\u2015\u2212] ?([0-9]{1,5})$/.exec(dialled) ?? [];
  const headE164 = head === undefined || extension !== null ? null : findE164(head, region);
  if (headE164 !== null) return { kind: 'public', e164: headE164, extension: tail ?? null };
  const digits = /^[0-9 -]+$/.test(dialled) ? dialled.replace(/[^0-9]/g, '') : '';
  if (/^[0-9]{2,6}$/.test(digits)) return { kind: 'extension', e164: null, extension: digits };
  return otherwise;
}

function findE164(text: string, region: string): string | null {
  const written = readSent(text);
  if (written === null) return null;
  const number = findInPlan(written, region);
  if (isShortForm(written, number)) return null;
  // Where a trunk prefix belongs before a national number, none is sent without it: long and bare means international.
  // (A German 15123456789 is Texas then, and no spreadsheet's 0151 23456789; whom to dial is not decided here.)
  const lacksPrefix = number?.hasTrunkPrefix === true && number.nationalDigits === written.digits;
  if (number?.valid) return (lacksPrefix ? findWithoutPlus(written, region) : null) ?? number.e164;
  // Plans grow faster than libraries: what came in international form and has a right length is kept for matching.
  if (written.international) return number?.possible ? number.e164 : null;
  return findWithoutPlus(written, region);
}

/** No calling code begins with 0: a switch that puts + before everything put it before 030... or 0049... too. */
function readSent(text: string): WrittenNumber | null {
  const written = readWrittenNumber(text);
  if (typeof written === 'string') return null;
  return written.digits.startsWith('0') ? { ...written, international: false } : written;
}

/** Many trunks send E.164 without the plus. Believed only when long and valid. */
function findWithoutPlus(written: WrittenNumber, region: string): string | null {
  if (written.digits.length < 11 || written.digits.startsWith('0')) return null;
  const number = findInPlan({ international: true, digits: written.digits }, region);
  return number?.valid && number.country !== null ? number.e164 : null;
}

/** Cut between code points: half an emoji is a lone surrogate. */
function cut(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : text.slice(0, maxChars).replace(/[\ud800-\udbff]$/, '');
}

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

// A SIP user part or a display name may be kilobytes long; no number and no name of a person is.
const maxRawChars = 64;
const maxNameChars = 128;

/**
 * Reads what a person or a switch sent as a number, seen from `region` (ISO 3166). Never throws, whatever comes.
 * Takes E.164, national, 00 and 011, `tel:` and `sip:` URIs, "ext. 5". Anonymous, unknown, `s`, extensions, service
 * codes and everything else that is not surely one subscriber give `e164: null`.
 */
export function parsePhoneNumber(
  raw: string | null | undefined,
  region: string,
  name: string | null | undefined = null,
): PhoneNumber {
  const text = cleanText(raw ?? '');
  // Read from the whole text, before it is shortened for keeping: a number cut off would be another number.
  const e164 = (raw ?? '').length > maxReadChars ? null : findE164(text, region);
  return { raw: cut(text, maxRawChars), e164, name: cut(cleanText(name ?? ''), maxNameChars) || null };
}

function findE164(text: string, region: string): string | null {
  const written = readWrittenNumber(dialledPart(text));
  if (typeof written === 'string') return null;
  const number = findInPlan(written, region);
  if (isShortForm(written, number)) return null;
  if (number?.valid) return number.e164;
  // Plans grow faster than libraries: what came in international form and has a right length is kept for matching.
  if (written.international) return number?.possible ? number.e164 : null;
  return findWithoutPlus(written, region);
}

/** Many trunks send E.164 without the plus. Believed only when long, valid, and nothing in the region's own plan. */
function findWithoutPlus(written: WrittenNumber, region: string): string | null {
  if (written.digits.length < 11 || written.digits.startsWith('0')) return null;
  const number = findInPlan({ international: true, digits: written.digits }, region);
  return number?.valid && number.country !== null ? number.e164 : null;
}

/** The part of a URI or a contact's entry that was dialled. */
function dialledPart(text: string): string {
  const uri = /^(tel|sips?):(.*)$/i.exec(text);
  if (!uri) return text.replace(/\s*(?:ext\.?|x|#)\s*[0-9]{1,7}$/i, '');
  const [subscriber = '', ...parameters] = (uri[2] ?? '').split(';');
  if (uri[1]?.toLowerCase() !== 'tel') return subscriber.split('@')[0] ?? '';
  // RFC 3966: a local number names the prefix that makes it global.
  const context = parameters.find((parameter) => parameter.toLowerCase().startsWith('phone-context=+'));
  return context && !subscriber.startsWith('+') ? context.slice('phone-context='.length) + subscriber : subscriber;
}

// Control characters, line and paragraph separators, lone surrogates (PostgreSQL and JSON refuse or break on them) and
// invisible format characters such as bidi overrides, which make a name read as another. The two joiners stay: Persian
// and Indic names need them.
const unsafeCharacters = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/gu;
// Bounds the work before anything looks at the text.
const maxReadChars = 1024;

function cleanText(text: string): string {
  return text.slice(0, maxReadChars).replace(unsafeCharacters, '').trim();
}

/** Cut between code points: half an emoji is a lone surrogate. */
function cut(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : text.slice(0, maxChars).replace(/[\ud800-\udbff]$/, '');
}

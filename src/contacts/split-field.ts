import { readNumberText } from '../numbers/number-text.js';

// What people put into a field for a telephone number: several of them, words before and behind, letters for digits.

/** A longer text is no field of a number. */
const MOST_CHARS = 300;
/** Of one field. */
const MOST_NUMBERS = 10;
/** From this on digits are a number of their own. */
const ENOUGH = 7;
/** Digits of a whole number where nothing but a space parts it from the next. */
const WHOLE = 10;

/** The parts of a field that surely belong to different numbers. @param field without control characters but line breaks and tabs */
export function splitField(field: string): readonly string[] {
  return field
    .slice(0, MOST_CHARS)
    .split(/[\r\n\t|]|;(?!\s*ext\s*=)|\s(?:or|and|или|и|oder|und|ou|et|немесе)\s/iu)
    .filter((text) => digitsIn(text) > 0)
    .slice(0, MOST_NUMBERS);
}

/** The texts in a part that may each be one number, where it is not one as a whole. */
export function splitPart(part: string): readonly string[] {
  return splitAt(part, /[,/]|\s*\+/g, ENOUGH)
    .flatMap((text) => splitAt(text, /\s+/g, WHOLE))
    .flatMap(splitTail)
    .map((text) => text.trim())
    .filter((text) => digitsIn(text) > 0)
    .slice(0, MOST_NUMBERS);
}

/** At marks that stand inside a number as well: only where there is a whole one on both sides. */
function splitAt(text: string, marks: RegExp, least: number): readonly string[] {
  for (const { index } of text.matchAll(marks)) {
    const [left, right] = [digitsIn(text.slice(0, index)), digitsIn(text.slice(index))];
    if (left < least || right < least) continue;
    return [text.slice(0, index), ...splitAt(text.slice(index).replace(/^[,/\s]+/, ''), marks, least)];
  }
  return [text];
}

/** `123-45-67/68` are two numbers that differ in their end. */
function splitTail(text: string): readonly string[] {
  const [, first = '', tail = ''] = /^(.*\d)\s*\/\s*(\d{1,3})$/.exec(text) ?? [];
  if (digitsIn(first) < ENOUGH || !/\d{3}$/.test(first.replace(/\D/g, ''))) return [text];
  let left = tail.length;
  const kept = [...first].toReversed().filter((character) => !(left > 0 && /\d/.test(character) && left-- > 0));
  return [first, kept.toReversed().join('') + tail];
}

function digitsIn(text: string): number {
  return text.match(/\p{Nd}/gu)?.length ?? 0;
}

/**
 * Ways to read one number, the most literal first: as it is, without words around it, without the trunk prefix that a calling code
 * makes needless, with letters as the digits of a key pad. The first that is a public number is meant.
 */
export function readingsOf(text: string): readonly string[] {
  const plain = text.replace(/(?<=\d)[OoОо](?=\d)/g, '0');
  const noNotes = plain.replace(/\([^()\d]*\)/g, ' ').trim();
  const unlabelled = noNotes.replace(/^[^\d+(]*(?=[\d+(])/, '');
  const bare = unlabelled.replace(/[\s,.:(-]*\p{L}[^\d]*$/u, '');
  const upToWords = /^(?:[^\p{L}\d]*\d){7,}[^\p{L}\d]*(?=\p{L})/u.exec(unlabelled)?.[0].trim() ?? '';
  const noTrunkPrefix = bare.includes('(0)') ? bare.replace('(0)', ' ') : '';
  // No calling code is 8: it is a trunk prefix that was given a plus.
  const readings = [plain, unlabelled, bare, noTrunkPrefix, upToWords, onKeyPad(unlabelled)].map((one) =>
    one.replace(/^\(?\+8(?=[\s(.-])/, '8'),
  );
  return [...new Set(readings)].filter((one) => digitsIn(one) > 0);
}

/** ITU-T E.161. */
const keys = ['abc', 'def', 'ghi', 'jkl', 'mno', 'pqrs', 'tuv', 'wxyz'];

function onKeyPad(text: string): string {
  const { dialled, extension } = readNumberText(text);
  // Letters come after digits, in words that are no notes: `1-800-FLOWERS`, `+1 (888) GO-FEDEX`.
  if (!/^\+?[\d\s().-]*\d[\s().-]*[a-z]{2}[a-z\d\s().-]*$/i.test(dialled)) return '';
  const digits = dialled.replace(/[a-z]/gi, (letter) =>
    String(keys.findIndex((key) => key.includes(letter.toLowerCase())) + 2),
  );
  return extension === null ? digits : `${digits} x${extension}`;
}

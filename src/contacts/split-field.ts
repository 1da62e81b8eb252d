// What people put into a field for a telephone number: several of them, words before and behind, letters for digits.

/** A longer text is no field of a number. */
const MOST_CHARS = 300;
/** Of one field. */
const MOST_NUMBERS = 10;
/** From this on digits are a number of their own. */
const ENOUGH = 7;
/** Digits of a whole number where nothing but a space parts it from the next. */
const WHOLE = 10;

/** The texts of a field that may each be one number. @param field without control characters but line breaks and tabs */
export function splitField(field: string): readonly string[] {
  return field
    .slice(0, MOST_CHARS)
    .split(/[\r\n\t|]|;(?!\s*ext\s*=)|\s(?:or|and|или|и|oder|und|ou|et|немесе)\s/iu)
    .flatMap(splitRun)
    .flatMap(splitTail)
    .map((text) => text.trim())
    .filter((text) => /\p{Nd}/u.test(text))
    .slice(0, MOST_NUMBERS);
}

/** At commas, slashes, `+` and spaces, which stand inside a number as well: only where there is a whole one on both sides. */
function splitRun(text: string): readonly string[] {
  for (const { 0: mark, index } of text.matchAll(/[,/]|\s*\+|\s+/g)) {
    const [left, right] = [digitsIn(text.slice(0, index)), digitsIn(text.slice(index))];
    const least = mark.trim() === '' ? WHOLE : ENOUGH;
    if (left < least || right < least) continue;
    return [text.slice(0, index), ...splitRun(text.slice(index).replace(/^[,/\s]+/, ''))];
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
 * Ways to read one number, the most literal first: as it is, without words around it, with letters as the digits of a key pad.
 * The first that is a public number is meant.
 */
export function readingsOf(text: string): readonly string[] {
  const plain = text.replace(/(?<=\d)[OoОо](?=\d)/g, '0');
  const noNotes = plain.replace(/\([^()\d]*\)/g, ' ').trim();
  const unlabelled = noNotes.replace(/^[^\d+(]*(?=[\d+(])/, '');
  const bare = unlabelled.replace(/[\s,.:(-]*\p{L}[^\d]*$/u, '');
  const upToWords = /^(?:[^\p{L}\d]*\d){7,}[^\p{L}\d]*(?=\p{L})/u.exec(unlabelled)?.[0].trim() ?? '';
  // No calling code is 8: it is a trunk prefix that was given a plus.
  const readings = [plain, unlabelled, bare, upToWords, onKeyPad(unlabelled)].map((one) =>
    one.replace(/^\(?\+8(?=[\s(.-])/, '8'),
  );
  return [...new Set(readings)].filter((one) => /\p{Nd}/u.test(one));
}

/** ITU-T E.161. */
const keys = ['abc', 'def', 'ghi', 'jkl', 'mno', 'pqrs', 'tuv', 'wxyz'];

function onKeyPad(text: string): string {
  // Letters come after digits, in words that are no notes: `1-800-FLOWERS`, `+1 (888) GO-FEDEX`.
  if (!/^\+?[\d\s().-]*\d[\s().-]*[a-z]{2}[a-z\d\s().-]*$/i.test(text)) return '';
  return text.replace(/[a-z]/gi, (letter) => String(keys.findIndex((key) => key.includes(letter.toLowerCase())) + 2));
}

/** A telephone number as somebody wrote it, reduced to what can be dialled. */
export interface WrittenNumber {
  /** It began with `+`. A `00` or `011` at the start is the region's business and stays in `digits`. */
  readonly international: boolean;
  /** 1 to 20 ASCII digits. */
  readonly digits: string;
}

export type WritingFault = 'empty' | 'characters' | 'too-long';

// 15 digits of E.164, every one with a separator, and an international prefix: more is no telephone number.
const maxWrittenChars = 40;
// 15 digits of E.164 and the longest international prefix with a carrier code (5 digits).
const maxDigits = 20;

// Typographic spaces and hyphens come with every number copied from a web page or a CRM. Nothing else is forgiven:
// tabs, line breaks, bidi marks, letters, `&`, `;`, `,`, `$`, `*`, `#` are a refusal, not something to strip.
const typographicSpace = /[\u00a0\u2007\u2009\u202f]/g;
const typographicHyphen = /[\u2010-\u2015\u2212]/g;
const allowedText = /^\+?[0-9 ()./-]+$/;

/**
 * Strict check of the characters, made before any library sees the text.
 * Takes digits, one leading `+`, spaces, `( ) . / -` and a leading `tel:` without parameters (RFC 3966).
 */
export function readWrittenNumber(text: string): WrittenNumber | WritingFault {
  if (text.length > maxWrittenChars) return 'too-long';
  const plain = text
    .replace(typographicSpace, ' ')
    .replace(typographicHyphen, '-')
    .replace(/^ +| +$/g, '')
    .replace(/^tel:/i, '');
  if (plain === '') return 'empty';
  if (!allowedText.test(plain)) {
    // "(+49) 30 ..." is common in address books; it is the one place where the + may not be first.
    const bracketed = /^\((\+[0-9]{1,3})\)([0-9 ()./-]+)$/.exec(plain);
    return bracketed ? readWrittenNumber(`${bracketed[1]}${bracketed[2]}`) : 'characters';
  }
  const digits = plain.replace(/[^0-9]/g, '');
  if (digits === '') return 'characters';
  if (digits.length > maxDigits) return 'too-long';
  return { international: plain.startsWith('+'), digits };
}

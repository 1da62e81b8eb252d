// How numbers are written, before any numbering plan is asked: addresses around them, scripts, what stands behind them.

/** The parts of a text that was sent as a number. */
export interface NumberText {
  /** Display name of `"Ann" <sip:1001@pbx>`; null where there is none. */
  readonly name: string | null;
  /** What was dialled: a number with its separators, a code, a word. */
  readonly dialled: string;
  /** Extension behind the number, 1 to 7 digits. */
  readonly extension: string | null;
  /** It was an address (`sip:`, `tel:`, `user@host`), not a bare number. */
  readonly isUri: boolean;
}

/** A number with its extension and everything a hand puts between them is shorter; a longer text is not searched. */
export const maxDialledChars = 128;

/** Takes a text apart. Pure; never throws. `text` is cleaned and of bounded length. */
export function readNumberText(text: string): NumberText {
  const { name, address } = splitNameAddress(inAscii(text));
  const uri = readUri(address);
  if (uri !== null) return { name, ...uri };
  return { name, ...splitExtension(address), isUri: false };
}

// Control characters, line and paragraph separators, lone surrogates (PostgreSQL and JSON refuse or break on them) and
// invisible format characters such as bidi overrides, which make a name read as another. The two joiners stay: Persian
// and Indic names need them.
const unsafeCharacters = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/gu;

/** Text without what could break a line, a page or a database. */
export function cleanText(text: string): string {
  return text.replace(unsafeCharacters, '').trim();
}

/** Zeros of scripts in which people write telephone numbers: Arabic, Persian, Devanagari, Bengali, Thai. */
const zeros = [0x0660, 0x06f0, 0x0966, 0x09e6, 0x0e50];

/** Full-width forms, digits of other scripts and typographic spaces as ASCII. */
export function inAscii(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  return text
    .normalize('NFKC')
    .replace(/\p{Nd}/gu, (digit) => {
      const code = digit.codePointAt(0) ?? 0;
      const zero = zeros.find((first) => code >= first && code < first + 10);
      return zero === undefined ? digit : String(code - zero);
    })
    .trim();
}

/** `"Ann" <sip:1001@pbx>;tag=1` and Asterisk's own `"Ann" <1001>` (RFC 3261 section 25.1, name-addr). */
function splitNameAddress(text: string): { readonly name: string | null; readonly address: string } {
  const open = text.lastIndexOf('<');
  const close = text.indexOf('>', open);
  if (open < 0 || close < 0) return { name: null, address: text };
  const after = text.slice(close + 1).trim();
  const before = text.slice(0, open).trim();
  const quoted = /^"(.*)"$/s.exec(before)?.[1];
  if ((after !== '' && !after.startsWith(';')) || (quoted === undefined && before.includes('<')))
    return { name: null, address: text };
  const name = (quoted ?? before).replace(/\\(.)/gs, '$1').trim();
  return { name: name === '' ? null : name, address: text.slice(open + 1, close).trim() };
}

function readUri(text: string): Omit<NumberText, 'name'> | null {
  const [, scheme = '', rest = ''] = /^(?:(tel|sips?):)?(.*)$/is.exec(text) ?? [];
  if (scheme === '' && !/^[^\s@]+@[^\s@]+$/.test(rest)) return null;
  const isTel = scheme.toLowerCase() === 'tel';
  const at = rest.indexOf('@');
  // Without a user the rest is a host, whose digits are no number.
  if (!isTel && at < 0) return { dialled: '', extension: null, isUri: true };
  const [subscriber = '', ...parameters] = (isTel ? rest : rest.slice(0, at)).split(';');
  const host = isTel ? '' : (/^[^;:?>]*/.exec(rest.slice(at + 1))?.[0] ?? '');
  // RFC 3323 section 4.1: whoever hides has this address, whatever the user part.
  if (host.toLowerCase() === 'anonymous.invalid') return { dialled: 'anonymous', extension: null, isUri: true };
  const dialled = decoded(isTel ? subscriber : (subscriber.split(':')[0] ?? ''));
  const extension = parameterOf(parameters, 'ext');
  // RFC 3966: a local number names the prefix that makes it global.
  const context = parameterOf(parameters, 'phone-context');
  return {
    dialled: context?.startsWith('+') && !dialled.startsWith('+') ? context + dialled : dialled,
    extension: extension !== null && /^[0-9]{1,7}$/.test(extension) ? extension : null,
    isUri: true,
  };
}

function parameterOf(parameters: readonly string[], name: string): string | null {
  const found = parameters.find((parameter) => parameter.toLowerCase().startsWith(`${name}=`));
  return found === undefined ? null : found.slice(name.length + 1);
}

/** Some phones write `%2B` for `+` and `%23` for `#`. */
function decoded(user: string): string {
  try {
    return cleanText(decodeURIComponent(user));
  } catch {
    return user;
  }
}

// Behind a number: RFC 3966's ";ext=", the # and pauses of phones, and the words of address books in English, Russian,
// French and German. A letter right before belongs to another word ("max 5").
const extensionPattern =
  /^(.*?)[\s,(]*(?:;\s*ext\s*=|[;,#]|(?<!\p{L})(?:x|ext|extn|extension|доб|добавочный|вн|внутр|poste|durchwahl|dw|nst)\s*[.:]?)\s*([0-9]{1,7})\)?$/iu;

function splitExtension(text: string): Pick<NumberText, 'dialled' | 'extension'> {
  // What begins with * or # is a feature code, where # is part of the code.
  if (text.length > maxDialledChars || /^[*#]/.test(text)) return { dialled: text, extension: null };
  const [, dialled, extension] = extensionPattern.exec(text) ?? [];
  return dialled === undefined || extension === undefined ? { dialled: text, extension: null } : { dialled, extension };
}

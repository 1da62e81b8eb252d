import type { KeyedChance } from './keyed-chance.js';
import { scrubNumber } from './scrub-number.js';

const uuid = '[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}';

/** What a text is made of, the most telling first. What none of them finds (spaces, signs) stays. */
const parts = new RegExp(
  [
    `(?<ours>(?<![A-Za-z0-9])rl-(?<call>${uuid})(?:-(?:(?:t\\d+)?a\\d+c\\d+|t\\d+n|r)(?:-w)?)?(?![A-Za-z0-9]))`,
    `(?<uuid>(?<![0-9a-fA-F])${uuid}(?![0-9a-fA-F]))`,
    '(?<time>(?<!\\d)\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?(?:Z|[+-]\\d\\d:?\\d\\d)?)',
    // Seconds since 1970 and a counter: what Asterisk calls a channel that nobody named.
    '(?<unique>(?<![\\d.])1\\d{9}\\.\\d+(?![\\d.]))',
    '(?<moment>(?<=@)1\\d{12}(?!\\d))',
    '(?<mac>(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:]))',
    // The end of a channel's name.
    '(?<serial>(?<=-)[0-9a-f]{8}(?=;[12]$|$))',
    // Which end of a wire.
    '(?<end>(?<=-[0-9a-f]{8};)[12]$)',
    '(?<v4>(?<![\\d.])(?:\\d{1,3}\\.){3}\\d{1,3}(?![\\d.]))',
    '(?<v6>(?<![0-9A-Fa-f:])(?=[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:)[0-9A-Fa-f:]*[0-9A-Fa-f][0-9A-Fa-f:]*(?![0-9A-Za-z:]))',
    '(?<kept>^(?:PJSIP|SIP|Local)/|(?<![A-Za-z0-9])(?:sips?|tel):|;transport=(?:udp|tcp|tls|wss?)(?![a-z]))',
    '(?<number>\\+?\\d(?:[\\s().-]{0,3}(?!(?<=-)[0-9a-f]{8}(?:;[12])?$)\\d){4,})',
    '(?<digits>\\+?\\d+)',
    // Letters of all scripts, and signs that may stand for something.
    '(?<word>(?:[A-Za-z]|[^\\p{ASCII}\\p{C}\\p{Z}])+)',
  ].join('|'),
  'gu',
);

const WHOLE_SECONDS = '2026-11-22T11:03:35'.length;

/** Replaces all that may name somebody or something in a text. The same text always becomes the same. */
export class TextScrubber {
  /** Added to every time, ms: whole seconds, some years back. */
  readonly #shiftMs: number;
  readonly #known = new Map<string, string>();

  constructor(
    private readonly chance: KeyedChance,
    private readonly regions: readonly string[],
  ) {
    this.#shiftMs = -1000 * (20_000_000 + (chance.number('shift', '') % 80_000_000));
  }

  text(text: string): string {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const scrubbed = text.replace(parts, (part: string, ...rest: unknown[]) =>
      this.#part(part, rest.at(-1) as Record<string, string | undefined>),
    );
    this.#known.set(text, scrubbed);
    return scrubbed;
  }

  /** Something that is used as a whole and means nothing: as long, of other letters and digits. */
  opaque(text: string): string {
    const letters = this.chance.numbers('opaque', text, text.length, 36);
    return text.replace(/[^\p{P}\p{Z}]/gu, (_, at: number) => (letters[at] ?? 0).toString(36));
  }

  /** A number in a document: times move, long ones become others. */
  number(value: number): number {
    if (!Number.isFinite(value) || Math.abs(value) < 10_000) return value;
    if (value > 1e12 && value < 4e12) return value + this.#shiftMs;
    if (value > 1e9 && value < 4e9) return value + this.#shiftMs / 1000;
    return Number(this.text(String(Math.trunc(Math.abs(value)))));
  }

  #part(part: string, found: Record<string, string | undefined>): string {
    const { chance } = this;
    if (found['kept'] !== undefined || found['end'] !== undefined) return part;
    if (found['call'] !== undefined) return part.replace(found['call'], this.#uuid(found['call']));
    if (found['uuid'] !== undefined) return this.#uuid(part);
    if (found['time'] !== undefined) return this.#time(part);
    if (found['moment'] !== undefined) return String(Number(part) + this.#shiftMs);
    if (found['unique'] !== undefined) {
      const [seconds, counter] = part.split('.');
      return `${Number(seconds) + this.#shiftMs / 1000}.${counter}`;
    }
    if (found['mac'] !== undefined) return (chance.hex('mac', part).slice(0, 12).match(/../g) ?? []).join(':');
    if (found['serial'] !== undefined) return chance.hex('serial', part).slice(0, 8);
    if (found['v4'] !== undefined) return ['10', ...chance.numbers('v4', part, 3, 250).map((n) => n + 1)].join('.');
    if (found['v6'] !== undefined)
      return `2001:db8::${chance.hex('v6', part).slice(0, 4)}:${chance.hex('v6', part).slice(4, 8)}`;
    if (found['number'] !== undefined || found['digits'] !== undefined) return this.#number(part);
    return this.#word(part);
  }

  #uuid(id: string): string {
    const hex = this.chance.hex('uuid', id.toLowerCase());
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  }

  /** In its own zone, which stays, as the fraction of the second does. */
  #time(text: string): string {
    const at = Date.parse(`${text.slice(0, WHOLE_SECONDS)}Z`);
    // One that no calendar has.
    if (Number.isNaN(at)) return text.replaceAll(/\d/g, '0');
    return new Date(at + this.#shiftMs).toISOString().slice(0, WHOLE_SECONDS) + text.slice(WHOLE_SECONDS);
  }

  /** Signs between the digits stay where they are. */
  #number(text: string): string {
    const digits = scrubNumber(text.replaceAll(/[^\d+]/g, ''), this.regions, this.chance).replaceAll('+', '');
    let at = 0;
    return text.replaceAll(/\d/g, () => digits[at++] ?? '0');
  }

  #word(word: string): string {
    const letters = this.chance.numbers('word', word.toLowerCase(), word.length, 26);
    const other = letters.map((n) => String.fromCharCode(97 + n)).join('');
    if (word === word.toUpperCase() && word !== word.toLowerCase()) return other.toUpperCase();
    return /^\p{Lu}/u.test(word) ? other[0]?.toUpperCase() + other.slice(1) : other;
  }
}

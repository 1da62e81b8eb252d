import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { StreamEntry } from '../../src/asterisk/raw-stream/stream-entry.js';
import { KeyedChance } from './keyed-chance.js';
import { TextScrubber } from './scrub-text.js';
import { nobody, wordFields, words } from './vocabulary.js';

/**
 * Replaces numbers, names, addresses, ids and secrets in documents of a stream: the same input becomes the same output,
 * with the same seed also in another file. Numbers keep length, country and type, times keep their distances, words of
 * Asterisk and of ours stay, so that a scrubbed stream folds to the same records apart from what was replaced.
 * @param seed Whoever knows it can try which number became which: keep it, or let it go with the run.
 * @param regions ISO 3166 countries in which numbers of the stream are written.
 */
export class Scrubber {
  readonly #text: TextScrubber;

  constructor(seed: string, regions: readonly string[]) {
    this.#text = new TextScrubber(new KeyedChance(seed), regions.length === 0 ? ['US'] : regions);
  }

  entry(entry: StreamEntry): StreamEntry {
    return this.document(entry);
  }

  document<T>(value: T): T {
    return this.#value(value, [], '') as T;
  }

  #value(value: unknown, path: readonly string[], field: string): unknown {
    if (typeof value === 'number') return field.endsWith('Seconds') ? value : this.#text.number(value);
    if (typeof value === 'string') return this.#string(value, path, field);
    if (typeof value !== 'object' || value === null) return value;
    // A list is read as its field is.
    if (Array.isArray(value)) return value.map((inner) => this.#value(inner, path, field));
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [this.#key(key), this.#value(inner, [...path, field], key)]),
    );
  }

  #string(text: string, path: readonly string[], field: string): string {
    if (nobody.has(text)) return text;
    if (/pass|secret|token|authorization|api_?key/i.test(field)) return this.#text.opaque(text.padEnd(12).slice(0, 12));
    // One message of the switch, inside the line about it.
    if (field === 'text' && path.length === 1) return this.#message(text);
    if (field === 'protocol_id' || field === 'sipCallId' || field === 'sipCallIds') return this.#text.opaque(text);
    if (field === 'region' && /^[A-Z]{2}$/.test(text)) return text;
    if (field === 'language' && /^[a-z]{2}(_[A-Z]{2})?$/.test(text)) return text;
    if (field === 'name' && path.includes('report') && /^[a-z0-9_]+\.so$/.test(text)) return text;
    if (field === 'version' && path.includes('report')) return /^\d+\.\d+\.\d+/.exec(text)?.[0] ?? '0.0.0';
    if (field === 'app_data')
      return text
        .split(',')
        .map((part) => this.#string(part, path, 'args'))
        .join(',');
    // Identity of a fact: who told it, of what kind, and its place among others say what follows from it.
    if (field === 'key')
      return text
        .split(' ')
        .map((part) => this.#keyPart(part))
        .join(' ');
    if (wordFields.has(field) && words.has(text)) return text;
    return this.#text.text(text);
  }

  #keyPart(part: string): string {
    return words.has(part) || /^\d{1,4}$/.test(part) ? part : this.#text.text(part);
  }

  #message(text: string): string {
    let frame: unknown;
    try {
      frame = JSON.parse(text);
    } catch {
      return this.#text.text(text);
    }
    return JSON.stringify(this.#value(frame, ['', ''], ''));
  }

  /** Names of fields are the switch's own, but for what an admin may call a variable. */
  #key(key: string): string {
    return /\d{5}|[^\w().-]/.test(key) ? this.#text.text(key) : key;
  }
}

/** Countries in which the tenants of a stream write numbers: those of their lines. */
export function regionsOf(entries: readonly StreamEntry[]): readonly string[] {
  const regions = entries.flatMap((entry) =>
    entry.kind === 'routed' && entry.route !== null
      ? (parsePhoneNumberFromString(entry.route.line.number)?.country ?? [])
      : [],
  );
  return [...new Set(regions)].toSorted();
}

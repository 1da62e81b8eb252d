import type { NumberReading } from './phone-number.js';

/** Stands for every caller who shows no number. */
export const ANONYMOUS = 'anonymous';

/** Some numbers: one in E.164, or the beginning of many followed by `*`. */
export const numberPattern = /^\+[1-9]\d{0,14}\*?$/;

/** Every pattern that means this E.164 number, the most exact first. */
export function patternsOfNumber(e164: string): readonly string[] {
  const beginnings = Array.from({ length: e164.length - 1 }, (_, cut) => `${e164.slice(0, e164.length - cut)}*`);
  return [e164, ...beginnings];
}

/** Every pattern that means this caller; none for extensions, addresses and what could not be read. */
export function patternsOfCaller({ number, kind }: NumberReading): readonly string[] {
  if (kind === 'anonymous') return [ANONYMOUS];
  return number.e164 === null ? [] : patternsOfNumber(number.e164);
}

import type { CrmNumber } from './crm-objects.js';

/** Fewer are an extension or a code. */
const LEAST = 6;

/** What is the same of a number with and without country code and trunk prefix; all its digits, where it is no public one. */
export function significantDigits({ e164, national, digits }: CrmNumber): string {
  if (e164 === null) return digits;
  const [international, local] = [e164.replace(/\D/g, ''), (national ?? e164).replace(/\D/g, '')];
  let length = 0;
  while (length < local.length && international.at(-1 - length) === local.at(-1 - length)) length++;
  return length < LEAST ? international : international.slice(-length);
}

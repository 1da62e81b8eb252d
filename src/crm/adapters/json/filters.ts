import { cut } from '../../port/cut.js';
import { escapeHtml } from '../../port/own-lines-html.js';
import { textOf, type Value } from './values.js';

export type Maps = Readonly<Record<string, Readonly<Record<string, string>>>>;
export type Filter = { readonly name: FilterName; readonly argument: string };

export const filterNames = [
  'map',
  'time',
  'hours',
  'minutes',
  'milliseconds',
  'cut',
  'limit',
  'html',
  'spread',
  'or',
  'join',
  'digits',
  'text',
] as const;
type FilterName = (typeof filterNames)[number];

const needsCount: readonly FilterName[] = ['cut', 'limit'];
const times = ['iso', 'sql', 'date', 'seconds', 'milliseconds'] as const;
type TimeForm = (typeof times)[number];

/** @returns what is wrong with it, in words */
export function parseFilter(text: string): Filter | string {
  const colon = text.indexOf(':');
  const name = (colon < 0 ? text : text.slice(0, colon)).trim();
  const argument = colon < 0 ? '' : text.slice(colon + 1);
  if (!isOneOf(filterNames, name)) return `there is no filter ${name}; there are ${filterNames.join(', ')}`;
  if (needsCount.includes(name) && !/^[1-9]\d{0,5}$/.test(argument)) return `${name} needs a count, such as ${name}:50`;
  if (name === 'time' && !isOneOf(times, argument)) return `time needs one of ${times.join(', ')}, such as time:sql`;
  if (name === 'map' && argument === '') return 'map needs the name of a map';
  return { name, argument };
}

function isOneOf<Name extends string>(all: readonly Name[], name: string): name is Name {
  return (all as readonly string[]).includes(name);
}

/** Null stays null but for `or` and `map`. */
export function applyFilter({ name, argument }: Filter, value: Value, maps: Maps): Value {
  if (name === 'or') return isNothing(value) ? argument : value;
  if (name === 'map') return mapped(value, maps[argument] ?? {});
  if (value === null) return null;
  switch (name) {
    case 'time':
      return value instanceof Date ? timeOf(value, argument as TimeForm) : value;
    case 'hours':
      return Math.floor(minutesOf(value) / 60);
    case 'minutes':
      // Of an hour where `minutes:rest`.
      return argument === 'rest' ? minutesOf(value) % 60 : minutesOf(value);
    case 'milliseconds':
      return Math.round(numberOf(value) * 1000);
    case 'cut':
      return cut(textOf(value), Number(argument));
    case 'limit':
      return textOf(value)
        .slice(0, Number(argument))
        .replace(/[\uD800-\uDBFF]$/, '');
    case 'html':
      return escapeHtml(textOf(value)).replaceAll('\n', '<br>');
    case 'spread':
      // What a `like` needs to find digits however they are written.
      return [...textOf(value)].map((character) => `${argument}${character}`).join('');
    case 'join':
      return Array.isArray(value) ? value.map(textOf).join(argument) : value;
    case 'digits':
      return textOf(value).replace(/\D/g, '');
    case 'text':
      return textOf(value);
  }
}

function isNothing(value: Value): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

/** `*`: whatever is not named. */
function mapped(value: Value, map: Readonly<Record<string, string>>): Value {
  const key = textOf(value);
  if (Object.hasOwn(map, key)) return map[key] ?? null;
  return Object.hasOwn(map, '*') ? (map['*'] ?? null) : value;
}

function numberOf(value: Value): number {
  const number = Number(textOf(value));
  return Number.isFinite(number) ? number : 0;
}

/** Whole ones, begun ones included: a call of 20 s is not one of nothing. */
function minutesOf(value: Value): number {
  return Math.ceil(numberOf(value) / 60);
}

function timeOf(at: Date, form: TimeForm): Value {
  const iso = at.toISOString();
  switch (form) {
    case 'iso':
      return iso;
    case 'sql':
      return iso.slice(0, 19).replace('T', ' ');
    case 'date':
      return iso.slice(0, 10);
    case 'seconds':
      return Math.floor(at.getTime() / 1000);
    case 'milliseconds':
      return at.getTime();
  }
}

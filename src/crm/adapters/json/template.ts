import { applyFilter, parseFilter, type Filter, type Maps } from './filters.js';
import { textOf, valueAt, type Value } from './values.js';

/** `{{name|filter:argument}}` within text. It names values and never runs anything. */
export type Placeholder = { readonly name: string; readonly filters: readonly Filter[] };
type Part = string | Placeholder;

const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;
const NAME = /^[\w-]+(\.[\w-]+)*$/;

export function parseTemplate(template: string): {
  readonly parts: readonly Part[];
  readonly faults: readonly string[];
} {
  const parts: Part[] = [];
  const faults: string[] = [];
  let at = 0;
  for (const match of template.matchAll(PLACEHOLDER)) {
    const [whole, inner = ''] = match;
    if (match.index > at) parts.push(template.slice(at, match.index));
    at = match.index + whole.length;
    const [name = '', ...rest] = inner.split('|');
    const filters = rest.map(parseFilter);
    for (const filter of filters) if (typeof filter === 'string') faults.push(filter);
    if (!NAME.test(name.trim())) faults.push(`${whole} names nothing`);
    parts.push({ name: name.trim(), filters: filters.filter((filter) => typeof filter !== 'string') });
  }
  if (at < template.length) parts.push(template.slice(at));
  if (parts.some((part) => typeof part === 'string' && /\{\{|\}\}/.test(part))) faults.push('braces are not closed');
  return { parts, faults };
}

export type Given = { readonly scope: Value; readonly maps: Maps };

/** What a template gives. One that is a placeholder and nothing else keeps the type of its value. */
export function render(template: string, given: Given): Value {
  const { parts } = parseTemplate(template);
  const [only] = parts;
  if (parts.length === 1 && only !== undefined && typeof only !== 'string') return valueOf(only, given);
  return parts.map((part) => (typeof part === 'string' ? part : textOf(valueOf(part, given)))).join('');
}

/** Null where there is nothing. */
export function renderText(template: string, given: Given): string | null {
  const value = render(template, given);
  return value === null ? null : textOf(value);
}

/**
 * The same in an address: no value can leave its place in it.
 * @returns null when a value would make another path of it
 */
export function renderAddress(template: string, given: Given): string | null {
  let address = '';
  for (const part of parseTemplate(template).parts) {
    if (typeof part === 'string') {
      address += part;
      continue;
    }
    const text = textOf(valueOf(part, given));
    if (/^\.{0,2}$/.test(text)) return null;
    address += encodeURIComponent(text);
  }
  return address;
}

function valueOf({ name, filters }: Placeholder, { scope, maps }: Given): Value {
  return filters.reduce((value, filter) => applyFilter(filter, value, maps), valueAt(scope, name));
}

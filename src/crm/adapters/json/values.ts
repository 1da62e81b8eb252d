/** What templates are filled from: data alone. */
export type Value = string | number | boolean | null | Date | readonly Value[] | { readonly [name: string]: Value };

/** By own properties only, so that a name reaches nothing but data. Null: it is not there. */
export function valueAt(scope: unknown, name: string): Value {
  let value = scope;
  for (const key of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return null;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return isValue(value) ? value : null;
}

function isValue(value: unknown): value is Value {
  return value !== undefined && typeof value !== 'function' && typeof value !== 'symbol' && typeof value !== 'bigint';
}

/** No CRM takes NUL in a text. */
export function textOf(value: Value): string {
  if (value === null) return '';
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'object') return Array.isArray(value) ? value.map(textOf).join(', ') : '';
  return String(value).replaceAll('\0', '');
}

/** An id that a CRM gave: text or number, and not long. */
export function idOf(value: Value): string | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const id = String(value);
  return id === '' || id.length > MOST_OF_AN_ID ? null : id;
}

const MOST_OF_AN_ID = 300;

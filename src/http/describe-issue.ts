import type { z } from 'zod';

export type DescribedIssue = {
  /** JSON path of the field at fault, such as `devices.0.endpoint`; undefined: the value as a whole. */
  readonly field: string | undefined;
  /** What is wrong with it, without a subject: `must be a string`. */
  readonly fault: string;
};

/** Says what a schema found, in words for a person who has never seen the schema. */
export function describeIssue(issue: z.core.$ZodIssue): DescribedIssue {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return { field: [...path, issue.keys[0] ?? ''].join('.'), fault: 'is not a known field' };
  }
  return { field: path.length === 0 ? undefined : path.join('.'), fault: faultOf(issue) };
}

function faultOf(issue: z.core.$ZodIssue): string {
  // A message of a schema's author says more than anything that can be derived here.
  if (!/^(Invalid|Too |Unrecognized)/.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.endsWith('received undefined') ? 'is required' : `must be ${withArticle(issue.expected)}`;
    case 'too_small':
      return `must ${bound(issue.origin, 'at least', issue.minimum, issue.inclusive)}`;
    case 'too_big':
      return `must ${bound(issue.origin, 'at most', issue.maximum, issue.inclusive)}`;
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'invalid_format':
      return `must be ${formats[issue.format] ?? `a valid ${issue.format}`}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    default:
      return 'is not valid';
  }
}

const formats: Readonly<Record<string, string>> = {
  uuid: 'a UUID',
  email: 'an e-mail address',
  url: 'a URL',
  datetime: 'a time such as 2026-01-31T09:30:00.000Z',
  regex: 'written another way',
};

function withArticle(type: string): string {
  const name = { int: 'integer', record: 'object', nonoptional: 'value' }[type] ?? type;
  return `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`;
}

function bound(origin: string, side: string, limit: number | bigint, inclusive: boolean | undefined): string {
  const unit = { string: 'character', array: 'item', set: 'item', object: 'field' }[origin];
  if (unit) return `have ${side} ${limit} ${unit}${Number(limit) === 1 ? '' : 's'}`;
  if (inclusive === false) return `be ${side === 'at least' ? 'more than' : 'less than'} ${limit}`;
  return `be ${side} ${limit}`;
}

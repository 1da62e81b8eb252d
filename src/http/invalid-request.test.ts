import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { invalidRequest } from './invalid-request.js';

const schema = z.strictObject({
  name: z.string().min(1).max(3),
  list: z.array(z.int().min(2)).min(1),
  kind: z.enum(['a', 'b']),
  only: z.literal('x').optional(),
  id: z.uuid().optional(),
  own: z.string().regex(/^x$/, { error: 'must be an x' }).optional(),
});
const good = { name: 'n', list: [2], kind: 'a' };

describe('what a misfit is called', () => {
  it.each([
    [{ ...good, name: undefined }, 'name', '`name` is required.'],
    [{ ...good, name: 7 }, 'name', '`name` must be a string.'],
    [{ ...good, name: '' }, 'name', '`name` must have at least 1 character.'],
    [{ ...good, name: 'long' }, 'name', '`name` must have at most 3 characters.'],
    [{ ...good, list: [] }, 'list', '`list` must have at least 1 item.'],
    [{ ...good, list: [3, 1] }, 'list.1', '`list.1` must be at least 2.'],
    [{ ...good, list: [2.5] }, 'list.0', '`list.0` must be an integer.'],
    [{ ...good, list: 'no' }, 'list', '`list` must be an array.'],
    [{ ...good, kind: 'c' }, 'kind', '`kind` must be one of "a", "b".'],
    [{ ...good, only: 'y' }, 'only', '`only` must be "x".'],
    [{ ...good, id: '7' }, 'id', '`id` must be a UUID.'],
    [{ ...good, own: 'y' }, 'own', '`own` must be an x.'],
    [{ ...good, extra: 1 }, 'extra', '`extra` is not a known field.'],
    [[], undefined, 'The value must be an object.'],
  ])('%j', (value, field, detail) => {
    const result = schema.safeParse(value);
    const problem = invalidRequest(result.error?.issues ?? []);
    expect(problem.details).toEqual({ detail, ...(field !== undefined && { field }) });
  });

  it('is told of every field, and of no more than a reader takes', () => {
    const result = z.record(z.string(), z.string()).safeParse({ a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1 });
    const { detail } = invalidRequest(result.error?.issues ?? []).details;
    expect(detail).toContain('`e` must be a string.');
    expect(detail).not.toContain('`f`');
    expect(detail).toContain('And 2 more.');
  });
});

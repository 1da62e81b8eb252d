import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Problem } from '../common/problems.js';
import { applyPatch, patchSchema } from './patch.js';

const schema = z.strictObject({
  name: z.string().min(1),
  limits: z.strictObject({ a: z.int().default(1), b: z.int().default(2) }).prefault({}),
  list: z.array(z.string()).default([]),
  map: z.record(z.string(), z.string()).default({}),
  maybe: z.strictObject({ x: z.int(), y: z.int().optional() }).nullable().default(null),
});
const stored = { name: 'n', limits: { a: 5, b: 6 }, list: ['l'], map: { k: 'v' }, maybe: { x: 1, y: 2 } };
const update = patchSchema('Update', schema);

describe('a patch', () => {
  it.each([
    ['nothing', {}, stored],
    ['one field', { name: 'm' }, { ...stored, name: 'm' }],
    ['a part of an object', { limits: { b: 7 } }, { ...stored, limits: { a: 5, b: 7 } }],
    ['a list as a whole', { list: [] }, { ...stored, list: [] }],
    ['a map as a whole', { map: { j: 'w' } }, { ...stored, map: { j: 'w' } }],
    ['a part of what may be null', { maybe: { x: 9 } }, { ...stored, maybe: { x: 9, y: 2 } }],
    ['an object to null', { maybe: null }, { ...stored, maybe: null }],
  ])('changes %s', (_, patch, expected) => {
    expect(applyPatch(schema, stored, update.parse(patch))).toEqual(expected);
  });

  it('brings no default with it', () => {
    expect(update.parse({})).toEqual({});
    expect(update.parse({ limits: {} })).toEqual({ limits: {} });
  });

  it.each([[{ unknown: 1 }], [{ limits: { c: 1 } }], [{ name: '' }], [{ name: null }]])('refuses %j', (patch) => {
    expect(update.safeParse(patch).success).toBe(false);
  });

  it('has to give a whole that fits', () => {
    const patch = update.parse({ maybe: { y: 3 } });
    expect(() => applyPatch(schema, { ...stored, maybe: null }, patch)).toThrow(Problem);
    expect(() => applyPatch(schema, { ...stored, maybe: null }, patch)).toThrow('`maybe.x` is required.');
  });
});

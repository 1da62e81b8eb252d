import { validate, version } from 'uuid';
import { describe, expect, it } from 'vitest';
import { newId, uuidPattern } from './ids.js';

describe('new ids', () => {
  it('are UUIDs of version 7 that tell their time, all different, and sort as they were made', () => {
    const before = Date.now();
    const ids = Array.from({ length: 5_000 }, () => newId());
    const after = Date.now();
    expect(ids.every((id) => uuidPattern.test(id) && validate(id) && version(id) === 7)).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
    for (const id of ids) {
      const madeAt = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
      expect(madeAt).toBeGreaterThanOrEqual(before);
      expect(madeAt).toBeLessThanOrEqual(after);
    }
  });
});

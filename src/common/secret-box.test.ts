import { describe, expect, it } from 'vitest';
import { SecretBox } from './secret-box.js';

const box = new SecretBox('11'.repeat(32));
const place = { table: 'pbx_node', column: 'password', id: 'a' };

describe('secret box', () => {
  it('opens what it sealed, in the same place only', () => {
    const sealed = box.seal('hunter2 – ключ', place);
    expect(sealed).not.toContain('hunter2');
    expect(box.open(sealed, place)).toBe('hunter2 – ключ');
    expect(() => box.open(sealed, { ...place, id: 'b' })).toThrow();
    expect(() => box.open(sealed, { ...place, column: 'secret' })).toThrow();
  });

  it('refuses a text whose bytes were changed', () => {
    const sealed = box.seal('hunter2', place);
    const last = sealed.at(-1) === 'A' ? 'B' : 'A';
    expect(() => box.open(sealed.slice(0, -2) + last + sealed.slice(-1), place)).toThrow();
  });

  it('names both keys when the key is another one', () => {
    const other = new SecretBox('22'.repeat(32));
    expect(() => other.open(box.seal('x', place), place)).toThrow(`sealed with key ${box.keyId}`);
  });

  it('never seals the same text to the same bytes', () => {
    expect(box.seal('x', place)).not.toBe(box.seal('x', place));
  });
});

import { expect, it } from 'vitest';
import { cut } from './cut.js';

it('a text is cut to one line, and no character in two', () => {
  expect(cut(' a\0b\r\nc ', 10)).toBe('a b c');
  expect(cut('ab😀', 4)).toBe('ab😀');
  expect(cut('ab😀', 3)).toBe('ab');
});

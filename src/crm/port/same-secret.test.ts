import { expect, test } from 'vitest';
import { isSameSecret } from './same-secret.js';

test('a secret is the same when every character is', () => {
  expect(isSameSecret('s3cret', 's3cret')).toBe(true);
  expect(isSameSecret('s3creT', 's3cret')).toBe(false);
  expect(isSameSecret('s3cret ', 's3cret')).toBe(false);
  expect(isSameSecret(undefined, 's3cret')).toBe(false);
});

test('a secret that is empty on both sides opens nothing', () => {
  expect(isSameSecret('', '')).toBe(false);
});

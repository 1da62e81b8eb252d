import { expect, it } from 'vitest';

import { upstreamVersion } from './asterisk.js';

it('takes the Asterisk version out of the version of the Debian package', () => {
  expect(upstreamVersion('1:22.10.1+dfsg+~cs6.17.60671434-1', 22)).toBe('22.10.1');
  expect(upstreamVersion('1:23.0.0~dfsg-1', 22)).toBe('23.0.0');
  expect(upstreamVersion('1:16.28.0~dfsg-0+deb11u4', 16)).toBe('16.28.0');
});

it('refuses an Asterisk below the security floor, and says what to do', () => {
  expect(() => upstreamVersion('1:22.9.9+dfsg-1', 22)).toThrow(/22\.9\.9.*22\.10\.1.*LAB_DEBIAN_MIRROR/);
  expect(() => upstreamVersion('1:16.28.0~dfsg-0+deb11u4', 22)).toThrow(/16\.28\.0/);
  expect(() => upstreamVersion('1:16.2.1~dfsg-1', 16)).toThrow(/16\.2\.1.*16\.28\.0/);
});

import { describe, expect, it } from 'vitest';
import { SecretBox } from '../common/secret-box.js';
import { readPlayToken, signPlayToken } from './play-token.js';

const box = new SecretBox('11'.repeat(32));
const grant = {
  tenantId: '01936c7e-8b2a-7000-8000-000000000001',
  recordingId: '01936c7e-8b2a-7000-8000-000000000002',
  keyId: '01936c7e-8b2a-7000-8000-000000000003',
  expiresAt: 1_790_000_000_000,
};

describe('a token for playing', () => {
  const token = signPlayToken(box, grant);

  it('tells what was granted', () => {
    expect(readPlayToken(box, token)).toEqual(grant);
  });

  it('is refused with any of its characters changed, also where the bytes would stay the same', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.';
    for (let i = 0; i < token.length; i++) {
      for (const other of alphabet) {
        if (other === token[i]) continue;
        expect(readPlayToken(box, token.slice(0, i) + other + token.slice(i + 1)), `${i} ${other}`).toBeNull();
      }
    }
  });

  it.each([
    ['nothing', ''],
    ['another installation’s', signPlayToken(new SecretBox('22'.repeat(32)), grant)],
    ['one that is longer', `${signPlayToken(box, grant)}A`],
    ['one without a signature', signPlayToken(box, grant).split('.')[0] ?? ''],
    ['a path', 'rlp_../../etc/passwd'],
    ['another part of two', `${signPlayToken(box, { ...grant, expiresAt: 1 }).split('.')[0]}.${token.split('.')[1]}`],
  ])('is refused: %s', (_, other) => {
    expect(readPlayToken(box, other)).toBeNull();
  });

  it('is signed for this purpose alone', () => {
    expect(box.sign('x', 'a').equals(box.sign('x', 'b'))).toBe(false);
    expect(box.sign('x', 'a').equals(box.sign('x', 'a'))).toBe(true);
  });
});

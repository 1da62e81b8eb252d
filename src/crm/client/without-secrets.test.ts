import { describe, expect, it } from 'vitest';
import { secretsOf, withoutSecrets } from './without-secrets.js';

describe('what a CRM says', () => {
  const settings = { url: 'https://crm.example', key: 's3cr3t/key', keys: { door: 's3cr3t' }, pin: '12' };
  const secrets = secretsOf(settings, ['key', 'keys', 'pin', 'absent']);

  it('is told without the secrets of its connection, however it repeats them', () => {
    expect(withoutSecrets('no such key: s3cr3t/key (GET /?key=s3cr3t%2Fkey), door s3cr3t', secrets)).toBe(
      'no such key: … (GET /?key=…), door …',
    );
  });

  it('keeps all else, and what is too short to be a secret', () => {
    expect(withoutSecrets('https://crm.example answered 12 times', secrets)).toBe(
      'https://crm.example answered 12 times',
    );
  });
});

import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { newSecret, signedHeaders, signingKey } from './standard-webhooks.js';

describe('Standard Webhooks signatures', () => {
  it('are those of the specification’s example', () => {
    const key = signingKey('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    expect(signedHeaders([key], 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, '{"test": 2432232314}')).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('use a secret of 32 random bytes', () => {
    expect(newSecret()).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(signingKey(newSecret())).toHaveLength(32);
    expect(newSecret()).not.toBe(newSecret());
  });

  it('are accepted by the reference implementation, whatever the text', () => {
    fc.assert(
      fc.property(fc.json(), fc.uuid(), (body, id) => {
        const secret = newSecret();
        const headers = signedHeaders([signingKey(secret)], id, Math.floor(Date.now() / 1000), body);
        expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
      }),
    );
  });

  it('are two while a secret is replaced, and either secret verifies them', () => {
    const [old, fresh, other] = [newSecret(), newSecret(), newSecret()];
    const keys = [fresh, old].map(signingKey);
    const headers = signedHeaders(keys, 'msg_1', Math.floor(Date.now() / 1000), '{}');
    expect(headers['webhook-signature'].split(' ')).toHaveLength(2);
    for (const secret of [old, fresh]) expect(new Webhook(secret).verify('{}', headers)).toEqual({});
    expect(() => new Webhook(other).verify('{}', headers)).toThrow();
  });

  it('are refused when one bit of id, time, body or signature is another', () => {
    const secret = newSecret();
    const webhook = new Webhook(secret);
    const body = JSON.stringify({ type: 'call.ended', data: { call: { id: 'x'.repeat(200) } } });
    const id = '01936c7e-8b2a-7000-8000-123456789012';
    const signed = signedHeaders([signingKey(secret)], id, Math.floor(Date.now() / 1000), body);
    const parts = { ...signed, body };
    const names = Object.keys(parts) as (keyof typeof parts)[];
    let accepted = 0;
    const flip = (text: string, bit: number): string => {
      const bytes = Buffer.from(text);
      const at = bit % (bytes.length * 8);
      bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7));
      return bytes.toString('latin1');
    };
    for (let i = 0; i < 10_000; i++) {
      const name = names[i % names.length] ?? 'body';
      const { body: text, ...headers } = { ...parts, [name]: flip(parts[name], Math.floor(i / names.length) * 7) };
      try {
        webhook.verify(text, headers);
        accepted += 1;
      } catch {
        // Refused, as it should be.
      }
    }
    expect(accepted).toBe(0);
  });
});

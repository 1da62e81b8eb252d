import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowed, denied, host, notations } from './addresses.test-support.js';
import { EgressRules } from './egress-rules.js';

describe('egress rules', () => {
  const rules = new EgressRules([]);
  const verdict = (url: string): string => rules.check(url).kind;

  it.each(denied)('refuse %s in every notation', (address) => {
    for (const notation of notations(address)) {
      expect.soft(verdict(`https://${notation}/hook`), notation).toBe('refused');
      expect.soft(verdict(`https://${notation}:443/hook`), notation).toBe('refused');
    }
  });

  it.each(denied)('refuse a name that resolves to %s', (address) => {
    const checked = rules.check('https://crm.example/hook');
    expect(checked.kind === 'allowed' && rules.permits(checked.target, address)).toBe(false);
  });

  it.each(allowed)('let %s pass, written out or resolved', (address) => {
    expect(verdict(`https://${host(address)}/hook`)).toBe('allowed');
    const checked = rules.check('https://crm.example/hook');
    expect(checked.kind === 'allowed' && rules.permits(checked.target, address)).toBe(true);
  });

  it.each([
    ['http://crm.example/', 'It must start with https://.'],
    ['ftp://crm.example/', 'It must start with https://.'],
    ['file:///etc/passwd', 'It must start with https://.'],
    ['gopher://127.0.0.1:6379/_FLUSHALL', 'It must start with https://.'],
    ['crm.example/hook', 'It is not a URL.'],
    ['https://', 'It is not a URL.'],
    ['https://crm.example:8443/', 'It must use port 443.'],
    ['https://crm.example:22/', 'It must use port 443.'],
    ['https://user@crm.example/', 'It may not carry a user name or a password.'],
    ['https://crm.example:secret@10.0.0.1/', 'It may not carry a user name or a password.'],
    ['https://localhost/', 'Its address is not a public one.'],
    ['https://a.LOCALHOST./', 'Its address is not a public one.'],
    ['https://[fe80::1%25eth0]/', 'It is not a URL.'],
  ])('say why %s is refused', (url, reason) => {
    expect(rules.check(url)).toEqual({ kind: 'refused', reason });
  });

  it('refuse every private IPv4 address, whatever its number looks like', () => {
    fc.assert(
      fc.property(fc.constantFrom(0x0a000000, 0x7f000000), fc.integer({ min: 0, max: 0xffffff }), (net, rest) => {
        expect(verdict(`https://${net + rest}/`)).toBe('refused');
        expect(verdict(`https://0x${(net + rest).toString(16)}/`)).toBe('refused');
      }),
    );
  });

  describe('with EGRESS_ALLOW', () => {
    const open = new EgressRules([
      '10.1.0.0/16',
      'fd00:1::/32',
      'hooks.internal:8080',
      '127.0.0.1:9000',
      '192.168.7.7',
    ]);
    const reaches = (url: string, ...addresses: string[]): boolean => {
      const checked = open.check(url);
      return checked.kind === 'allowed' && addresses.every((address) => open.permits(checked.target, address));
    };

    it('reach what a CIDR names over http and on any port, by address and by name', () => {
      expect(reaches('http://10.1.2.3:8080/', '10.1.2.3')).toBe(true);
      expect(reaches('http://0xa010203:8080/')).toBe(true);
      expect(reaches('http://[fd00:1::5]/')).toBe(true);
      expect(reaches('http://192.168.7.7/')).toBe(true);
      expect(reaches('http://crm.lan:8080/', '10.1.2.3')).toBe(true);
      expect(reaches('https://crm.lan/', '10.1.2.3')).toBe(true);
      expect(reaches('https://crm.lan/', '10.2.2.3')).toBe(false);
    });

    it('do not let a public or another private address use http because of a CIDR', () => {
      expect(reaches('http://crm.example/', '1.1.1.1')).toBe(false);
      expect(reaches('http://crm.example/', '10.1.2.3', '127.0.0.1')).toBe(false);
      expect(reaches('http://10.2.0.1/')).toBe(false);
      expect(reaches('https://192.168.7.8/')).toBe(false);
    });

    it('reach exactly the host:port that is named', () => {
      expect(reaches('http://hooks.internal:8080/x', '192.168.1.1')).toBe(true);
      expect(reaches('http://HOOKS.internal.:8080/x', '192.168.1.1')).toBe(true);
      expect(reaches('http://hooks.internal:8081/x', '192.168.1.1')).toBe(false);
      expect(reaches('http://127.0.0.1:9000/')).toBe(true);
      expect(reaches('http://127.0.0.1:9001/')).toBe(false);
      expect(reaches('http://user@127.0.0.1:9000/')).toBe(false);
    });

    it('name every entry that is wrong', () => {
      expect(() => new EgressRules(['10.0.0.0/8', 'nonsense', '10.0.0.0/40', 'host:99999'])).toThrow(
        'EGRESS_ALLOW: is neither a CIDR such as 10.0.0.0/8 nor host:port: nonsense, 10.0.0.0/40, host:99999',
      );
    });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  contactEndpoint,
  deviceEndpoint,
  extensionEndpoint,
  isWire,
  trunkEndpoint,
  UnsafeDialPart,
} from './dial-endpoint.js';

// Attacks on the dial string: second device, options, dial-plan functions, local channels, header and line injection.
const hostile = [
  '',
  ' ',
  'a b',
  'alice&PJSIP/14165551212@trunk',
  'alice,30',
  'alice/n',
  'alice@trunk',
  '${SHELL(id)}',
  '$[1+1]',
  'alice;x',
  'alice|30',
  'alice\n',
  'alice\r\nX: y',
  '\u0000',
  'alice\u0000',
  'älice',
  'аlice', // Cyrillic а
  'alice\u202e',
  'a'.repeat(65),
  '../x',
  'Local/1@default',
  '"alice"',
  "'alice'",
  '<alice>',
  'alice?x=y',
  'alice^bob',
  '{alice}',
  'alice=1',
];

// Some are harmless as the user, host or parameter of a contact, though not as an endpoint's name.
const inContact = hostile.filter((part) => !['alice;x', 'alice=1', 'a'.repeat(65)].includes(part));

describe('the wire to an extension', () => {
  it.each([...hostile, 's', 'h', 'i', 't', '_X.', '+4930', '1-2', '1'.repeat(21)])(
    'is not built of the extension %j',
    (part) => {
      expect(() => extensionEndpoint(part, 'company')).toThrow(UnsafeDialPart);
    },
  );

  it.each([...hostile.filter((part) => part !== 'a'.repeat(65)), 'a.b', 'a@b', 'a'.repeat(80)])(
    'is not built of the context %j',
    (part) => {
      expect(() => extensionEndpoint('600', part)).toThrow(UnsafeDialPart);
    },
  );
});

describe('dial endpoints', () => {
  it('builds the four shapes', () => {
    expect(extensionEndpoint('*600#', 'company-extensions')).toBe('Local/*600#@company-extensions/n');
    expect([extensionEndpoint('1', 'x'), deviceEndpoint('alice')].map(isWire)).toEqual([true, false]);
    expect(deviceEndpoint('alice-1_a.b')).toBe('PJSIP/alice-1_a.b');
    expect(trunkEndpoint('+14155550123', 'trunk')).toBe('PJSIP/+14155550123@trunk');
    expect(trunkEndpoint('9*#0044', 'trunk')).toBe('PJSIP/9*#0044@trunk');
    expect(contactEndpoint('alice', 'sip:alice@10.0.0.5:5060;transport=udp;rinstance=a1b2')).toBe(
      'PJSIP/alice/sip:alice@10.0.0.5:5060;transport=udp;rinstance=a1b2',
    );
  });

  it.each([
    'sip:alice@10.0.0.5',
    'sip:alice@10.0.0.5:5060;ob',
    'sips:alice@phone.example:5061;transport=tls',
    'sip:1001@[2001:db8::1]:5060;transport=tcp',
    'sip:k3v9@f9q2.invalid;transport=ws',
    'sip:1001@192.168.1.2:51234;x-ast-orig-host=[2001:db8::1]:5060',
    'sip:alice@10.0.0.5;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
    'sip:alice%40example.com@10.0.0.5',
    'sip:10.0.0.5:5060',
    'sip:+14155550123@10.0.0.5;user=phone',
  ])('takes the contact %s that a phone registers', (uri) => {
    expect(contactEndpoint('alice', uri)).toBe(`PJSIP/alice/${uri}`);
  });

  it.each(hostile)('refuses %j as an endpoint', (name) => {
    for (const build of [
      () => deviceEndpoint(name),
      () => contactEndpoint(name, 'sip:alice@10.0.0.5'),
      () => trunkEndpoint('+14155550123', name),
    ]) {
      expect(build).toThrow(UnsafeDialPart);
    }
  });

  it.each([...hostile, '1', '12', '+1415555abc', '1'.repeat(33), '1 2 3 4', '(415)5550123', '٣٤٥٦٧'])(
    'refuses %j as a number',
    (number) => {
      expect(() => trunkEndpoint(number, 'trunk')).toThrow(UnsafeDialPart);
    },
  );

  it.each([
    ...hostile,
    ...inContact.map((part) => `sip:${part}@10.0.0.5`),
    ...inContact.map((part) => `sip:alice@${part}`),
    ...inContact.map((part) => `sip:alice@10.0.0.5;${part}`),
    ...[',30', '&PJSIP/x', '${X}', '/n', ' ', '\n', '?x', '"', '<', '%2C', 'é'].map(
      (end) => `sip:alice@10.0.0.5;a=1${end}`,
    ),
    'tel:+14155550123',
    'http://10.0.0.5',
    'SIP:alice@10.0.0.5',
    'sip:alice@10.0.0.5?Replaces=abc',
    'sip:alice@10.0.0.5;a=1?b=2',
    'sip:alice:secret@10.0.0.5',
    'sip:alice@10.0.0.5:999999',
    'sip:alice@10.0.0.5;;x',
    'sip:alice@10.0.0.5; x',
    'sip:alice%26bob@10.0.0.5',
    'sip:alice%0d%0a@10.0.0.5',
    'sip:alice%00@10.0.0.5',
    'sip:alice%24%7BX%7D@10.0.0.5',
    'sip:alice%2C30@10.0.0.5',
    'sip:alice%@10.0.0.5',
    'sip:alice@10.0.0.5;x=%26',
    'sip:a@b@c',
    'sip:@10.0.0.5',
    'sip:alice@',
    'sip:alice@-',
    `sip:alice@${'a'.repeat(250)}`,
  ])('refuses %j as a contact', (uri) => {
    expect(() => contactEndpoint('alice', uri)).toThrow(UnsafeDialPart);
  });

  it('names the part that failed and never repeats its text', () => {
    try {
      trunkEndpoint('${SECRET}', 'trunk');
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ part: 'number' });
      expect(String(error)).not.toContain('SECRET');
    }
  });

  it('lets no string at all put other characters or another shape before the switch', () => {
    // Its own allow-list, not the code's patterns.
    const allowed = new Set('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-+*#@:;=%~[]/');
    const piece = fc.oneof(
      fc.constantFrom(
        'sip:',
        'sips:',
        'alice',
        '@',
        '10.0.0.5',
        ':5060',
        ';transport=ws',
        ';ob',
        '%41',
        '%26',
        '+49',
        '1234',
      ),
      fc.constantFrom('&', ',', '${', '}', '\r\n', ' ', '/', '?', '"', '<', '\u0000', 'é', '|', '\\'),
      fc.string({ unit: 'binary', maxLength: 3 }),
    );
    const anyPart = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
    const contact = fc
      .tuple(fc.constantFrom('', 'alice', '+49'), anyPart, fc.constantFrom('', ';ob', ';transport=ws'))
      .map(([user, tail, parameter]) => `sip:${user}@10.0.0.5${tail}${parameter}`);
    const part = fc.oneof(anyPart, contact, fc.stringMatching(/^[a-z0-9&.]{1,6}$/));
    let built = 0;
    fc.assert(
      fc.property(part, part, (a, b) => {
        for (const build of [
          () => deviceEndpoint(a),
          () => contactEndpoint(a, b),
          () => contactEndpoint('x', b),
          () => trunkEndpoint(b, a),
          () => trunkEndpoint(b, 'x'),
        ]) {
          let endpoint: string;
          try {
            endpoint = build();
          } catch (error) {
            if (!(error instanceof UnsafeDialPart)) throw error;
            continue;
          }
          built += 1;
          if (![...endpoint].every((character) => allowed.has(character))) throw new Error(`let through ${endpoint}`);
          if (!/^PJSIP\/(?:[^/@]+|[^/@]+\/sips?:[^/]+|[^/@]+@[^/@]+)$/.test(endpoint))
            throw new Error(`shape ${endpoint}`);
        }
      }),
      { numRuns: 10_000 },
    );
    // Otherwise the property would hold because nothing was ever built.
    expect(built).toBeGreaterThan(1000);
  });
});

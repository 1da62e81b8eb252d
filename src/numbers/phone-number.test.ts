import { getCountries, getExampleNumber, type CountryCode } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePhoneNumber, readNumber } from './phone-number.js';

describe('phone number', () => {
  it.each([
    ['+14155550123', 'DE', '+14155550123'],
    ['+1 (415) 555-0123', 'DE', '+14155550123'],
    ['(415) 555-0123', 'US', '+14155550123'],
    ['415.555.0123', 'US', '+14155550123'],
    ['1-415-555-0123', 'US', '+14155550123'],
    ['011 44 20 7946 0958', 'US', '+442079460958'],
    ['0044 20 7946 0958', 'US', '+442079460958'],
    ['0044 20 7946 0958', 'DE', '+442079460958'],
    ['030 123456', 'DE', '+4930123456'],
    ['030/123456', 'DE', '+4930123456'],
    ['+49 (0)30 123456', 'DE', '+4930123456'],
    ['(+49) 30 123456', 'FR', '+4930123456'],
    ['0041446681800', 'DE', '+41446681800'],
    ['020 7946 0958', 'GB', '+442079460958'],
    ['020\u00a07946\u20110958', 'GB', '+442079460958'],
    ['8 (916) 123-45-67', 'RU', '+79161234567'],
    ['89161234567', 'RU', '+79161234567'],
    ['9161234567', 'RU', '+79161234567'],
    ['79161234567', 'RU', '+79161234567'],
    ['88005553535', 'RU', '+78005553535'],
    ['8 10 44 20 7946 0958', 'RU', '+442079460958'],
    ['87011234567', 'KZ', '+77011234567'],
    ['06 12 34 56 78', 'FR', '+33612345678'],
    ['06 1234 5678', 'IT', '+390612345678'],
    ['347 123 4567', 'IT', '+393471234567'],
    ['tel:+1-415-555-0123', 'DE', '+14155550123'],
    ['TEL:+14155550123;ext=5', 'DE', '+14155550123'],
    ['tel:5550123;phone-context=+1415', 'DE', '+14155550123'],
    ['sip:+14155550123@203.0.113.5:5060;user=phone', 'DE', '+14155550123'],
    ['sip:03012345678;npdi@gw.example', 'DE', '+493012345678'],
    ['+1 415 555 0123 ext. 5', 'DE', '+14155550123'],
    ['+14155550123 x77', 'DE', '+14155550123'],
    ['442079460958', 'US', '+442079460958'],
    ['14155550123', 'FR', '+14155550123'],
    ['+37251234567', 'RU', '+37251234567'],
    ['+\u202d49 30 123456\u202c', 'DE', '+4930123456'],
  ])('reads %j in %s as %s', (raw, region, e164) => {
    expect(parsePhoneNumber(raw, region).e164).toBe(e164);
  });

  it.each([
    '',
    ' ',
    's',
    'h',
    'i',
    'anonymous',
    'Anonymous',
    'unknown',
    'unavailable',
    'Restricted',
    'private',
    'asterisk',
    '101',
    '2020',
    '11833',
    '112',
    '911',
    '*97',
    '#31#',
    '+',
    '+1',
    '++4930123456',
    '+4930+123456',
    'alice',
    'sip:alice@example.com',
    'sip:anonymous@anonymous.invalid',
    'tel:7042;phone-context=example.com',
    'tel:',
    '00000000000',
    '99999999999999999999',
    '&PJSIP/itsp/14165551212',
    '500&PJSIP/itsp/14165551212',
    '${SHELL(id)}',
    "'; drop table call; --",
    '<script>alert(1)</script>',
    '+4930123456;rm -rf',
    '+'.repeat(5000),
    '1'.repeat(5000),
    '('.repeat(250) + '030123456',
  ])('finds no number in %j', (raw) => {
    expect(parsePhoneNumber(raw, 'DE').e164).toBeNull();
  });

  it.each([
    ['2020', 'LU'],
    ['4000', 'NU'],
    ['30002', 'DE'],
    ['50106', 'AT'],
  ])('takes the bare %s in %s for an extension, though a subscriber could have it', (raw, region) => {
    expect(parsePhoneNumber(raw, region).e164).toBeNull();
  });

  it('takes a bare five-digit number for a subscriber where the plan has no trunk prefix', () => {
    expect(parsePhoneNumber('02800', 'NO').e164).toBe('+4702800');
  });

  it('finds the number in a URI that is too long to keep, and none in a text too long to read', () => {
    const uri = `sip:+4930123456@${'a'.repeat(80)}.example`;
    expect(parsePhoneNumber(uri, 'FR')).toEqual({ raw: uri.slice(0, 64), e164: '+4930123456', name: null });
    expect(parsePhoneNumber(`sip:+4930123456@${'a'.repeat(1100)}`, 'FR').e164).toBeNull();
  });

  it('keeps the text it was given, without what could break a line, a page or a database', () => {
    const parsed = parsePhoneNumber('\u0000+49 30\r\n 123456\u202e', 'DE', 'Ann\u0007 \u2066Bo\u2069b\ud800\u2028');
    expect(parsed).toEqual({ raw: '+49 30 123456', e164: '+4930123456', name: 'Ann Bob' });
  });

  it('keeps names of all scripts whole', () => {
    for (const name of ['José Ñandú', '李小龍', 'می‌خواهم', '👩‍👩‍👧 Family', 'Østergård & Søn']) {
      expect(parsePhoneNumber(null, 'DE', name).name).toBe(name);
    }
  });

  it('says null for what is missing', () => {
    expect(parsePhoneNumber(null, 'DE')).toEqual({ raw: '', e164: null, name: null });
    expect(parsePhoneNumber(undefined, 'DE', ' \t ')).toEqual({ raw: '', e164: null, name: null });
  });

  it('bounds what it keeps and does not take a cut number for a number', () => {
    const parsed = parsePhoneNumber('+49 30 123456'.padEnd(70, ' ') + '7', 'DE', '😀'.repeat(200));
    expect(parsed.e164).toBeNull();
    expect(parsed.raw.length).toBeLessThanOrEqual(64);
    expect(parsed.name?.length).toBeLessThanOrEqual(128);
    expect(parsePhoneNumber('1', 'DE', 'x' + '😀'.repeat(200)).name).toBe('x' + '😀'.repeat(63));
  });

  it('reads national numbers in no region and in an unknown region as no number, and E.164 all the same', () => {
    for (const region of ['', 'ZZ', 'AQ', 'de', '__proto__', 'constructor', '\u0000']) {
      expect(parsePhoneNumber('030 123456', region).e164).toBeNull();
      expect(parsePhoneNumber('+4930123456', region).e164).toBe('+4930123456');
    }
  });

  it('takes the name out of an address where none came with it', () => {
    expect(readNumber('"Ann \\"Lee\\"" <sip:1001@pbx>', 'DE').number.name).toBe('Ann "Lee"');
    expect(readNumber('"Ann" <sip:1001@pbx>', 'DE', 'Bob').number).toEqual({
      raw: '"Ann" <sip:1001@pbx>',
      e164: null,
      name: 'Bob',
    });
    expect(readNumber('<script>alert(1)</script>', 'DE').number.name).toBeNull();
  });

  it('never throws, keeps clean, bounded text and says of one kind only what belongs to it, whatever is sent', () => {
    const piece = fc.constantFrom(
      'sip:',
      'tel:',
      '@pbx',
      ';ext=',
      ' x',
      '"',
      '<',
      '>',
      '+49',
      '030',
      '123456',
      '1001',
      '#',
      '*',
      '-12',
      '%2B',
      '\u0663',
    );
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ unit: fc.constantFrom(...'+0123456789 ()-./;:=@#*x\n\u0000\u202e\ud800'), maxLength: 40 }),
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
    );
    const region = fc.oneof(fc.constantFrom('US', 'DE', 'RU', 'IT', 'BR', 'AQ'), fc.string({ maxLength: 3 }));
    const seen = new Set<string>();
    fc.assert(
      fc.property(hostile, region, hostile, (sent, inRegion, sentName) => {
        const { number, kind, extension } = readNumber(sent, inRegion, sentName);
        const { raw, e164, name } = number;
        seen.add(kind);
        if (e164 !== null && !/^\+[1-9]\d{6,14}$/.test(e164)) throw new Error(e164);
        if (raw.length > 64 || (name ?? '').length > 128) throw new Error('too long');
        // eslint-disable-next-line no-control-regex
        if (/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]|\p{Cs}/u.test(raw + (name ?? ''))) {
          throw new Error('not clean');
        }
        if ((kind === 'public') !== (e164 !== null)) throw new Error(`${kind} with ${e164}`);
        if (extension !== null && !/^[0-9]{1,7}$/.test(extension)) throw new Error(extension);
        if (kind === 'extension' ? extension === null : kind !== 'public' && extension !== null)
          throw new Error(`${kind} with extension ${extension}`);
      }),
      { numRuns: 20_000 },
    );
    expect([...seen].toSorted()).toEqual(['anonymous', 'extension', 'public', 'service', 'unknown', 'uri']);
  });

  const number = fc
    .constantFrom(...getCountries())
    .map((region) => ({ region, found: getExampleNumber(region, examples) }))
    .filter(({ found }) => found !== undefined && /^\+[1-9]\d{6,14}$/.test(found.number));

  it('is the same number seen from any region, once it is E.164', () => {
    fc.assert(
      fc.property(number, fc.constantFrom<CountryCode | ''>(...getCountries(), ''), ({ found }, from) => {
        const e164 = found?.number ?? '';
        expect(readNumber(e164, from)).toMatchObject({ number: { e164 }, kind: 'public', extension: null });
      }),
      { numRuns: 2_000 },
    );
  });

  it('is the same number however it is wrapped, spaced and scripted', () => {
    const script = (zero: number) => (text: string) =>
      text.replace(/[0-9]/g, (digit) => String.fromCodePoint(zero + Number(digit)));
    const digits = fc.constantFrom(
      (text: string) => text,
      script(0x0660),
      script(0x06f0),
      script(0x0966),
      script(0xff10),
    );
    const spaces = fc.constantFrom(
      (text: string) => text,
      (text: string) => text.replaceAll(' ', '\u00a0'),
      (text: string) => text.replaceAll(' ', '-'),
      (text: string) => text.replaceAll(' ', ''),
    );
    const around = fc.constantFrom<{ readonly extension: string | null; readonly write: (text: string) => string }>(
      { extension: null, write: (text) => text },
      { extension: null, write: (text) => `  ${text} \r\n` },
      { extension: null, write: (text) => `\u202a${text}\u202c` },
      { extension: null, write: (text) => `${text}#` },
      { extension: null, write: (text) => `tel:${text.replaceAll(' ', '-')}` },
      { extension: null, write: (text) => `sip:${text.replaceAll(' ', '')}@10.0.0.1:5060;user=phone` },
      { extension: null, write: (text) => `"A <B> C" <sip:${text.replaceAll(' ', '')}@pbx.example>;tag=1` },
      ...['x12', ' ext. 12', ';ext=12', ' доб. 12', ' (доб. 12)', ',,12', '#12'].map((end) => ({
        extension: '12',
        write: (text: string) => text + end,
      })),
      { extension: '12', write: (text) => `sip:${text.replaceAll(' ', '')};ext=12@10.0.0.1` },
    );
    fc.assert(
      fc.property(
        number,
        fc.boolean(),
        spaces,
        digits,
        around,
        ({ region, found }, national, space, digit, { extension, write }) => {
          const written = (national ? found?.formatNational() : found?.formatInternational()) ?? '';
          // What is so short by itself is an extension.
          fc.pre(written.replace(/\D/g, '').length > 6);
          const sent = write(digit(space(written)));
          const read = readNumber(sent, region);
          expect({ sent, e164: read.number.e164, extension: read.extension }).toEqual({
            sent,
            e164: found?.number,
            extension,
          });
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePhoneNumber } from './phone-number.js';

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

  it('never throws and keeps clean, bounded text, whatever is sent', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ unit: fc.constantFrom(...'+0123456789 ()-./;:=@#*x\n\u0000\u202e\ud800'), maxLength: 40 }),
    );
    const region = fc.oneof(fc.constantFrom('US', 'DE', 'RU', 'IT', 'BR', 'AQ'), fc.string({ maxLength: 3 }));
    fc.assert(
      fc.property(hostile, region, hostile, (raw, inRegion, name) => {
        const parsed = parsePhoneNumber(raw, inRegion, name);
        if (parsed.e164 !== null && !/^\+[1-9]\d{6,14}$/.test(parsed.e164)) throw new Error(parsed.e164);
        if (parsed.raw.length > 64 || (parsed.name ?? '').length > 128) throw new Error('too long');
        // eslint-disable-next-line no-control-regex
        if (/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]|\p{Cs}/u.test(parsed.raw + (parsed.name ?? ''))) {
          throw new Error('not clean');
        }
      }),
      { numRuns: 20_000 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formsOfField, soughtNumber, type NumberForms } from './number-forms.js';
import { splitField, splitPart } from './split-field.js';

/** `+E164`, or `~` and the digits of what could not be read; `ext` for what stood behind it; `!` when the calling code was written. */
function shortly({ e164, national, extension, isInternational }: NumberForms): string {
  const number = e164 === null ? (national === null ? '' : `~${national}`) : `${e164}${isInternational ? '!' : ''}`;
  return [number, extension === null ? '' : `ext ${extension}`].filter(Boolean).join(' ');
}

// region | a field of a CRM -> the numbers in it
const fields = `
RU | 8 (495) 123-45-67 -> +74951234567
RU | +7 (495) 123-45-67 -> +74951234567!
RU | 84951234567 -> +74951234567
RU | 74951234567 -> +74951234567!
RU | 495 123-45-67 -> +74951234567
RU | +8 (495) 123-45-67 -> +74951234567
RU | 8(916)123-45-67 доб. 12 -> +79161234567 ext 12
RU | +7 495 123 45 67 вн 305 -> +74951234567! ext 305
RU | моб. 8 916 123-45-67 -> +79161234567
RU | тел.: +7 916 123-45-67 (Иван) -> +79161234567!
RU | 8 916 123-45-67 доб. 12 (Анна) -> +79161234567 ext 12
RU | 89161234567 звонить после 18 -> +79161234567
RU | 8 9I6 123-45-67 -> ~8961234567
RU | 8 9О5 123-45-67 -> +79051234567
RU | 8 9О0 123-45-67 -> +79001234567
RU | 8 916 123-45-67, 8 926 765-43-21 -> +79161234567, +79267654321
RU | 89161234567 89267654321 -> +79161234567, +79267654321
RU | 8 916 123 45 67 8 926 765 43 21 -> +79161234567, +79267654321
RU | +79161234567+79267654321 -> +79161234567!, +79267654321!
RU | 8 (495) 123-45-67/68 -> +74951234567, +74951234568
RU | (495) 123-45-67, 765-43-21 -> +74951234567, ~7654321
RU | 8 495 123-45-67; 8 495 123-45-67 -> +74951234567
RU | 123-45-67 -> ~1234567
RU | +77011234567 -> +77011234567!
RU | 020 7946 0958 -> ~2079460958
RU | +44 (0)20 7946 0958 -> +442079460958!
RU | 8 10 44 20 7946 0958 -> +442079460958!
RU | +1 (415) 555-2671 x12 -> +14155552671! ext 12
RU | Tel: +1 404-818-5921 ext. 2531 -> +14048185921! ext 2531
RU | 0113 571 2696 ext. 5605 -> ~1135712696 ext 5605
RU | 44 (0)113.496.0000 x7738 -> +441134960000! ext 7738
RU | 44 (0)113.651.5761 x7738 -> ~1136515761 ext 7738
RU | 44-(161)496 0000 ext 8772 / +44 7547-384189 -> +441614960000! ext 8772, +447547384189!
RU | 8 10 49 (0)178/0780439 -> +491780780439!
RU | 8 10 44 (0)7735 177084, (07599) 007333 -> +447735177084!, ~7599007333
RU | +1 404 427-JABX #36 -> +14044275229! ext 36
RU | 1001 -> ext 1001
RU | доб. 12 -> ext 12
RU | anonymous ->
RU | нет телефона ->
RU | 112 ->
KZ | 8 701 123 45 67 -> +77011234567
KZ | 8 (7172) 74-12-34 -> +77172741234
GB | 020 7946 0958 -> +442079460958
GB | +44 (0)20 7946 0958 -> +442079460958!
GB | 0044 20 7946 0958 -> +442079460958!
GB | 44 20 7946 0958 -> +442079460958!
GB | 07400 123456 / 020 7946 0958 -> +447400123456, +442079460958
GB | Office: 020 7946 0958 ext 4 -> +442079460958 ext 4
DE | 030/1234567 -> +49301234567
DE | +49 (0)30 1234567 -> +49301234567!
DE | 0049-30-1234567 -> +49301234567!
DE | 030 1234567 oder 0171 1234567 -> +49301234567, +491711234567
DE | 0171/1234567 / 030/1234567 -> +491711234567, +49301234567
DE | (415) 555-2671 -> +494155552671
US | (415) 555-2671 -> +14155552671
US | 1-415-555-2671 -> +14155552671!
US | 415.555.2671 x12 -> +14155552671 ext 12
US | 415-555-2671 ext. 12 -> +14155552671 ext 12
US | 1-800-FLOWERS -> +18003569377
US | +1 (888) GO-FEDEX -> +18884633339!
US | 415-555-HELP -> +14155554357
US | Home 415 555 2671 -> +14155552671
US | 415 555 2671 home -> +14155552671
US | 555-2671 -> ~5552671
`;

const rows = fields
  .trim()
  .split('\n')
  .map((line) => /^(..) \| (.*) ->(?: (.*))?$/.exec(line) ?? [])
  .map(([, region = '', field = '', forms = '']) => [region, field, forms] as const);

describe('the numbers of a field', () => {
  it.each(rows)('in %s of %j are %s', (region, field, forms) => {
    expect(formsOfField(field, region).map(shortly).join(', ')).toBe(forms);
  });

  it('are found on lines of their own, in digits of other scripts, and behind tabs', () => {
    expect(formsOfField('8 916 123-45-67\n٨٩٢٦٧٦٥٤٣٢١\t8 495 123-45-67', 'RU').map(({ e164 }) => e164)).toEqual([
      '+79161234567',
      '+79267654321',
      '+74951234567',
    ]);
  });

  it('have the last seven digits of their own, not of an extension', () => {
    expect(formsOfField('8 495 123-45-67 доб. 999', 'RU')[0]?.lastDigits).toBe('1234567');
    expect(formsOfField('1001', 'RU')[0]?.lastDigits).toBeNull();
  });

  it('are read the same however a number is separated, and with its calling code or without', () => {
    const grouped = fc.tuple(fc.constantFrom(' ', '-', '.', ') ', ''), fc.constantFrom(' ', '-', ''));
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 9_999_999 }),
        fc.constantFrom('+7', '8', '7', '', '007', '+7 ', '8 '),
        grouped,
        (own, prefix, [first, then]) => {
          const digits = String(own).padStart(7, '0');
          const area = first === ') ' ? '(916' : '916';
          const text = `${prefix}${area}${first}${digits.slice(0, 3)}${then}${digits.slice(3, 5)}${then}${digits.slice(5)}`;
          expect(formsOfField(text, 'RU').map(({ e164 }) => e164)).toEqual([`+7916${digits}`]);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('are bounded and well formed, whatever is in the field', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '+7',
        '8',
        '(495)',
        '123-45-67',
        ' доб. ',
        ' x',
        '/',
        ',',
        ';',
        '\n',
        '+44 (0)',
        '020 7946 0958',
        'FLOWERS',
        'ext',
      ),
      fc.string({ unit: 'binary', maxLength: 5 }),
      fc.integer({ min: 0 }).map(String),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 60 }),
        fc.constantFrom('RU', 'GB', 'DE', 'US', 'KZ', 'XX'),
        (parts, region) => {
          const field = parts.join('');
          const forms = formsOfField(field, region);
          expect(forms.length).toBeLessThanOrEqual(10);
          for (const { given, e164, national, lastDigits, extension } of forms) {
            expect(given.length).toBeLessThanOrEqual(64);
            if (e164 !== null) expect(e164).toMatch(/^\+[1-9]\d{6,14}$/);
            if (e164 !== null) expect(e164.endsWith(national ?? '?')).toBe(true);
            if (national !== null) expect(national).toMatch(/^\d{1,20}$/);
            if (lastDigits !== null) expect(national?.endsWith(lastDigits)).toBe(true);
            if (extension !== null) expect(extension).toMatch(/^\d{1,7}$/);
            expect(e164 ?? national ?? extension).not.toBeNull();
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('a field', () => {
  it('is not cut inside one number', () => {
    for (const one of [
      '030/123456',
      '+7 495 123-45-67',
      '8 10 49 30 12345678',
      '415-555-2671 x12',
      '8 495 123-45-67, доб 12',
    ])
      expect(splitField(one).flatMap(splitPart)).toEqual([one]);
  });
});

describe('a number that is sought', () => {
  it('has all forms of what a switch sent, and is told a CRM as the port wants it', () => {
    expect(soughtNumber('84951234567', 'RU')).toEqual({
      key: '+74951234567',
      e164: '+74951234567',
      national: '4951234567',
      lastDigits: '1234567',
      extension: null,
      crm: { raw: '84951234567', e164: '+74951234567', national: '8 (495) 123-45-67', digits: '74951234567' },
    });
  });

  it('is taken as it was read already', () => {
    expect(soughtNumber('0301234567', 'GB', '+49301234567')).toMatchObject({
      e164: '+49301234567',
      national: '301234567',
    });
  });

  it('may be an extension, or digits that no plan knows', () => {
    expect(soughtNumber('1001', 'RU')).toMatchObject({ key: '1001', e164: null, national: null, extension: '1001' });
    expect(soughtNumber('123-45-67', 'RU')).toMatchObject({ key: '1234567', e164: null, national: '1234567' });
  });

  it.each(['', 'anonymous', '*21#', '112', 'sip:alice@example.com', '---', 'alice'])(
    'is nothing where it is %j',
    (raw) => {
      expect(soughtNumber(raw, 'RU')).toBeNull();
    },
  );
});

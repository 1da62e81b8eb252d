import { describe, expect, it } from 'vitest';
import { formatForTrunk, trunkFormatSchema, type TrunkFormat } from './trunk-format.js';

const national: TrunkFormat = { format: 'national' };

describe('trunk format', () => {
  it('writes E.164 with and without plus, after the prefix', () => {
    expect(formatForTrunk('+4930123456', { format: 'plus-e164' }, 'DE')).toBe('+4930123456');
    expect(formatForTrunk('+4930123456', { format: 'e164' }, 'DE')).toBe('4930123456');
    expect(formatForTrunk('+4930123456', { format: 'e164', prefix: '9' }, 'DE')).toBe('94930123456');
    expect(formatForTrunk('+4930123456', { format: 'plus-e164', prefix: '*31#' }, 'DE')).toBe('*31#+4930123456');
  });

  it.each([
    ['+4930123456', 'DE', '030123456'],
    ['+12015550123', 'US', '2015550123'],
    ['+79161234567', 'RU', '89161234567'],
    ['+77011234567', 'RU', '87011234567'],
    ['+390612345678', 'IT', '0612345678'],
    ['+33612345678', 'FR', '0612345678'],
    ['+442079460958', 'GB', '02079460958'],
    ['+3614567890', 'HU', '0614567890'],
    ['+18765551234', 'US', '8765551234'],
    ['+4722123456', 'NO', '22123456'],
  ])('writes %s as people in %s dial it at home: %s', (e164, region, dialled) => {
    expect(formatForTrunk(e164, national, region)).toBe(dialled);
    expect(formatForTrunk(e164, { ...national, prefix: '0' }, region)).toBe(`0${dialled}`);
  });

  it.each([
    ['+33612345678', 'DE', '0033612345678'],
    ['+442079460958', 'US', '011442079460958'],
    ['+442079460958', 'RU', '810442079460958'],
    ['+442079460958', 'AU', '0011442079460958'],
    ['+442079460958', 'JP', '010442079460958'],
  ])('never writes the foreign %s as a national number of %s', (e164, region, dialled) => {
    expect(formatForTrunk(e164, national, region)).toBe(dialled);
  });

  it('falls back to + where the region has no single international prefix or no plan', () => {
    expect(formatForTrunk('+442079460958', national, 'BR')).toBe('+442079460958');
    expect(formatForTrunk('+442079460958', national, 'AQ')).toBe('+442079460958');
  });

  it.each([
    '',
    '4930123456',
    '+49',
    '+0123456789',
    '+49301234567890123',
    '+49 30 123456',
    '+4930123456\n',
    '${X}',
    '+49&1',
  ])('throws on %j, which is no E.164 number', (e164) => {
    expect(() => formatForTrunk(e164, { format: 'e164' }, 'DE')).toThrow('not an E.164 number');
  });

  it('takes short prefixes of dial characters only', () => {
    for (const prefix of ['', '0', '9', '*31#', '+', '12345678']) {
      expect(trunkFormatSchema.safeParse({ format: 'e164', prefix }).success).toBe(true);
    }
    for (const prefix of ['123456789', 'w', ' ', '&', ',', '$', '1\n', '９']) {
      expect(trunkFormatSchema.safeParse({ format: 'e164', prefix }).success).toBe(false);
      expect(() => formatForTrunk('+4930123456', { format: 'e164', prefix }, 'DE')).toThrow();
    }
    expect(trunkFormatSchema.safeParse({ format: 'local' }).success).toBe(false);
    expect(trunkFormatSchema.safeParse({ format: 'e164', suffix: '1' }).success).toBe(false);
  });
});

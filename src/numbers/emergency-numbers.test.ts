import { getCountries, getCountryCallingCode, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { describe, expect, it } from 'vitest';
import { checkDial, type DialRules } from './dial-rules.js';
import { emergencyNumbersOf, isEmergencyNumber, regionsWithEmergencyNumbers } from './emergency-numbers.js';

const rules: DialRules = { countries: [], blockedNumbers: [] };

// Written from what the countries tell travellers, not from the table: police, fire, ambulance.
const knownNumbers: readonly (readonly [region: string, numbers: string])[] = [
  ['AE', '999 998 997'],
  ['AR', '911 100 101 107'],
  ['AT', '112 122 133 144'],
  ['AU', '000 112 106'],
  ['BD', '999'],
  ['BE', '112 100 101'],
  ['BG', '112'],
  ['BR', '190 192 193'],
  ['BY', '101 102 103'],
  ['CA', '911'],
  ['CH', '112 117 118 144 1414'],
  ['CL', '131 132 133'],
  ['CN', '110 119 120 122'],
  ['CO', '123'],
  ['CR', '911'],
  ['CZ', '112 150 155 158'],
  ['DE', '110 112'],
  ['DK', '112'],
  ['DO', '911'],
  ['EE', '112'],
  ['EG', '122 123 180'],
  ['ES', '112 091 062 061'],
  ['FI', '112'],
  ['FR', '15 17 18 112 114'],
  ['GB', '999 112'],
  ['GE', '112'],
  ['GH', '191 192 193'],
  ['GR', '100 112 166 199'],
  ['HK', '999'],
  ['HR', '112 192 193 194'],
  ['HU', '112 104 105 107'],
  ['ID', '110 112 113 118 119'],
  ['IE', '112 999'],
  ['IL', '100 101 102'],
  ['IN', '112 100 101 102 108'],
  ['IS', '112'],
  ['IT', '112 113 115 118'],
  ['JM', '119 110'],
  ['JP', '110 119 118'],
  ['KE', '999 112'],
  ['KR', '112 119'],
  ['KZ', '101 102 103 112'],
  ['LT', '112'],
  ['LV', '112'],
  ['MA', '15 19'],
  ['MX', '911'],
  ['MY', '999 112'],
  ['NG', '112 199'],
  ['NL', '112'],
  ['NO', '110 112 113'],
  ['NZ', '111'],
  ['PE', '105 116'],
  ['PH', '911'],
  ['PK', '15 16 115 1122'],
  ['PL', '112 997 998 999'],
  ['PT', '112'],
  ['RO', '112'],
  ['RS', '192 193 194'],
  ['RU', '01 02 03 04 101 102 103 112'],
  ['SA', '911 997 998 999'],
  ['SE', '112'],
  ['SG', '999 995'],
  ['SI', '112 113'],
  ['SK', '112 150 155 158'],
  ['TH', '191 199 1669'],
  ['TR', '112 155'],
  ['TW', '110 119'],
  ['UA', '101 102 103 112'],
  ['US', '911 988'],
  ['UZ', '101 102 103'],
  ['VN', '113 114 115'],
  ['ZA', '112 10111 10177'],
];

describe('emergency numbers', () => {
  it.each(knownNumbers)('in %s refuses %s as emergency numbers, bare and with the country code', (region, numbers) => {
    const code = getCountryCallingCode(region as Parameters<typeof getCountryCallingCode>[0]);
    for (const number of numbers.split(' ')) {
      for (const written of [
        number,
        number.split('').join('-'),
        `tel:${number}`,
        `+${code} ${number}`,
        `00${code}${number}`,
      ]) {
        expect([written, checkDial(written, region, rules)]).toMatchObject([
          written,
          { ok: false, problem: 'number-blocked', reason: 'emergency-number' },
        ]);
      }
    }
  });

  it('refuses 112 and 911 in every region however they are written', () => {
    for (const region of [...getCountries(), 'AQ', 'GS', 'ZZ', '']) {
      for (const number of ['112', '911']) {
        for (const written of [
          number,
          ` ${number} `,
          `+${number}`,
          `00${number}`,
          `0${number}`,
          `9-${number}`,
          `(${number})`,
        ]) {
          expect([region, written, checkDial(written, region, rules)]).toMatchObject([
            region,
            written,
            { ok: false, reason: 'emergency-number' },
          ]);
        }
      }
    }
  });

  it('refuses another country’s emergency number that is dialled with its country code', () => {
    for (const [to, region] of [
      ['+1911', 'DE'],
      ['+1 911', 'US'],
      ['1911', 'US'],
      ['01144999', 'US'],
      ['0044999', 'DE'],
      ['+61000', 'DE'],
      ['+33 17', 'DE'],
      ['+7 102', 'DE'],
      ['8112', 'RU'],
      ['+2710111', 'ZA'],
    ] as const) {
      expect([to, checkDial(to, region, rules)]).toMatchObject([to, { ok: false, reason: 'emergency-number' }]);
    }
  });

  it('never takes a subscriber’s number for an emergency number', () => {
    const subscribers: string[] = [];
    for (const region of getCountries()) {
      for (const number of emergencyNumbersOf(region)) {
        const found = parsePhoneNumberFromString(number, { defaultCountry: region, extract: false });
        if (found?.isValid()) subscribers.push(`${region} ${number}`);
      }
    }
    expect(subscribers).toEqual([]);
  });

  it('has a row for every region with telephones, but those whose only numbers are the world-wide ones', () => {
    const rows = new Set(regionsWithEmergencyNumbers());
    expect(getCountries().filter((region) => !rows.has(region))).toEqual(['TK']);
    expect([...rows].filter((region) => !(getCountries() as string[]).includes(region))).toEqual([]);
  });

  it('keeps one region’s numbers out of another', () => {
    expect(isEmergencyNumber('17', 'FR')).toBe(true);
    expect(isEmergencyNumber('17', 'DE')).toBe(false);
    expect(isEmergencyNumber('10111', 'ZA')).toBe(true);
    expect(isEmergencyNumber('10111', 'GB')).toBe(false);
  });

  it('holds bare digits only', () => {
    for (const region of regionsWithEmergencyNumbers()) {
      for (const number of emergencyNumbersOf(region)) expect(number).toMatch(/^\d{2,5}$/);
    }
  });
});

// Telephone numbers whose truth is known, and how people and switches write them: in fields of a CRM, by hand, on trunks.
import type { Chance } from '../lab/replay/chance.js';

export const countries = ['RU', 'GB', 'DE', 'US', 'KZ'] as const;
export type Country = (typeof countries)[number];

/** A subscriber. Calling code and national number in groups as the country writes them; the first is the area or operator. */
export type Subscriber = {
  readonly country: Country;
  readonly groups: readonly string[];
  readonly isLandline: boolean;
};

const callingCodes: Readonly<Record<Country, string>> = { RU: '7', KZ: '7', GB: '44', DE: '49', US: '1' };

export function e164Of({ country, groups }: Subscriber): string {
  return `+${callingCodes[country]}${groups.join('')}`;
}

const digits = (chance: Chance, count: number): string =>
  Array.from({ length: count }, () => String(chance.below(10))).join('');
/** Exchanges begin with 2 to 9; N11 are services. */
const exchange = (chance: Chance): string => {
  const found = `${2 + chance.below(8)}${digits(chance, 2)}`;
  return found.endsWith('11') ? `${found.slice(0, 2)}2` : found;
};

type Range = { readonly areas: readonly string[]; readonly rest: (chance: Chance) => readonly string[] };

const two = (chance: Chance): string => digits(chance, 2);
const pairs = (chance: Chance): readonly string[] => [digits(chance, 3), two(chance), two(chance)];
const words = (text: string): readonly string[] => text.split(' ');

/** Ranges that are in use, by the countries' published plans. */
const landlines: Readonly<Record<Country, readonly Range[]>> = {
  RU: [{ areas: words('495 499 812 343 383 846 863'), rest: (chance) => [exchange(chance), two(chance), two(chance)] }],
  KZ: [{ areas: ['727'], rest: (chance) => [`2${two(chance)}`, two(chance), two(chance)] }],
  GB: [
    { areas: ['20'], rest: (chance) => [`${chance.pick(words('3 7 8'))}${digits(chance, 3)}`, digits(chance, 4)] },
    { areas: words('161 121 131 113'), rest: (chance) => [exchange(chance), digits(chance, 4)] },
  ],
  DE: [
    {
      areas: words('30 89 40 69 211 221'),
      rest: (chance) => [
        `${2 + chance.below(8)}${digits(chance, 1)}`,
        two(chance),
        digits(chance, 2 + chance.below(3)),
      ],
    },
  ],
  US: [
    {
      areas: words('212 415 312 617 206 305 713 404 702 503 916 207 747 775'),
      rest: (chance) => [exchange(chance), digits(chance, 4)],
    },
  ],
};
const mobiles: Readonly<Record<Country, readonly Range[]>> = {
  RU: [{ areas: words('903 905 909 910 915 916 917 921 925 926 950 962 981 985 999'), rest: pairs }],
  KZ: [{ areas: words('700 701 702 705 707 747 771 775 777 778'), rest: pairs }],
  GB: [
    {
      areas: ['7'],
      rest: (chance) => [`${chance.pick(words('4 5 7 8 9'))}${two(chance)}`, digits(chance, 6)],
    },
  ],
  DE: [
    { areas: words('160 170 171 172 173 174 175 176 177 178 179'), rest: (chance) => [digits(chance, 7)] },
    {
      areas: words('1511 1512 1514 1515 1516 1520 1522 1523 1525 1573 1575 1577 1578 1590'),
      rest: (chance) => [digits(chance, 7)],
    },
  ],
  US: landlines.US,
};

export function subscriber(chance: Chance, country: Country): Subscriber {
  const isLandline = chance.isBelow(0.4);
  const { areas, rest } = chance.pick((isLandline ? landlines : mobiles)[country]);
  const groups = [chance.pick(areas), ...rest(chance)];
  // A mobile's operator is written with what follows it.
  return {
    country,
    isLandline,
    groups: country === 'GB' && !isLandline ? [groups.slice(0, 2).join(''), groups[2] ?? ''] : groups,
  };
}

/** Somebody of another country with the same last ten digits; null where nobody can have them. */
export function twinOf({ groups }: Subscriber, chance: Chance): Subscriber | null {
  const national = groups.join('');
  if (national.length !== 10) return null;
  const country = chance.pick(countries);
  const ranges = [...landlines[country], ...mobiles[country]];
  const area = ranges.flatMap(({ areas }) => areas).find((one) => national.startsWith(one) && one.length > 1);
  if (area === undefined || country === 'DE') return null;
  const rest = national.slice(area.length);
  if (country === 'US' && !/^[2-9](?!11)\d{6}$/.test(rest)) return null;
  return { country, isLandline: false, groups: [area, rest.slice(0, -4), rest.slice(-4)] };
}

/** How sure a hand is to write the calling code of a foreign number. */
const FOREIGN_NATIONAL = 0.3;

/** As people of a tenant in `home` write it into a CRM. */
export function writtenByHand(chance: Chance, one: Subscriber, home: Country): string {
  const isHome = callingCodes[one.country] === callingCodes[home];
  const isNational = chance.isBelow(isHome ? 0.7 : FOREIGN_NATIONAL);
  if (isNational && isHome && one.isLandline && one.country === 'RU' && chance.isBelow(0.03))
    return one.groups.slice(1).join('-');
  return decorated(chance, one, isNational ? nationally(chance, one) : internationally(chance, one, home));
}

/** As a switch gets it from a trunk, or somebody types it who looks for it. */
export function writtenForLookup(chance: Chance, one: Subscriber, home: Country): string {
  const e164 = e164Of(one);
  if (chance.isBelow(0.3)) return e164;
  if (chance.isBelow(0.2)) return e164.slice(1);
  const isHome = callingCodes[one.country] === callingCodes[home];
  return decorated(
    chance,
    one,
    isHome && chance.isBelow(0.6) ? nationally(chance, one) : internationally(chance, one, home),
  );
}

function internationally(chance: Chance, one: Subscriber, home: Country): string {
  const code = callingCodes[one.country];
  const exit = home === 'RU' || home === 'KZ' ? '8 10 ' : home === 'US' ? '011 ' : '00';
  const prefix = chance.pick(['+', '+', '+', '+', '', '00', callingCodes[home] === code ? '+' : exit]);
  // The trunk prefix that is wrong there, and that half of Britain and Germany writes.
  const trunk = (one.country === 'GB' || one.country === 'DE') && chance.isBelow(0.3) ? '(0)' : '';
  return `${prefix}${code}${trunk === '' ? chance.pick([' ', ' ', '', '-']) : ` ${trunk}`}${grouped(chance, one)}`;
}

function nationally(chance: Chance, one: Subscriber): string {
  switch (one.country) {
    case 'RU':
    case 'KZ':
      return `${chance.pick(['8', '8 ', '8-', '8', '', '+8 '])}${grouped(chance, one)}`;
    case 'GB':
    case 'DE':
      return zeroed(grouped(chance, one));
    case 'US':
      return `${chance.pick(['', '', '1 ', '1-'])}${grouped(chance, one)}`;
  }
}

/** `(0171) 1234567`, not `0(171) ...`. */
function zeroed(text: string): string {
  return text.startsWith('(') ? `(0${text.slice(1)}` : `0${text}`;
}

function grouped(chance: Chance, { country, groups }: Subscriber): string {
  const [area = '', ...rest] = groups;
  const gap = chance.pick([' ', '-', '', '.', ' ', '\u00a0']);
  const own = rest.join(gap);
  if (country === 'DE' && chance.isBelow(0.3)) return `${area}/${own}`;
  if (chance.isBelow(0.4)) return `(${area})${chance.pick([' ', '', '  '])}${own}`;
  return [area, own].join(gap);
}

const keys = ['', '', 'ABC', 'DEF', 'GHI', 'JKL', 'MNO', 'PQRS', 'TUV', 'WXYZ'];

/** What stands around it: words, a name, an extension, letters for digits. */
function decorated(chance: Chance, { country, isLandline }: Subscriber, text: string): string {
  const isRussian = country === 'RU' || country === 'KZ';
  let written = text;
  if (country === 'US' && chance.isBelow(0.04)) {
    // Its last four as letters, as on a card; not where a key has none.
    written = written.replace(/[2-9]{4}$/, (last) =>
      [...last].map((digit) => (keys[Number(digit)] ?? '')[chance.below(3)]).join(''),
    );
  }
  if (isLandline && chance.isBelow(0.15)) {
    const extension = String(1 + chance.below(9_999));
    const word = isRussian ? [' доб. ', ', доб ', ' (доб. ', ' вн. '] : [' ext ', ' x', ' ext. ', ' #', ';ext='];
    const chosen = chance.pick(word);
    written += `${chosen}${extension}${chosen.includes('(') ? ')' : ''}`;
  }
  if (chance.isBelow(0.05))
    written = `${chance.pick(isRussian ? ['тел. ', 'моб.: ', 'раб '] : ['Tel: ', 'mobile ', 'Office: '])}${written}`;
  if (chance.isBelow(0.05))
    written += chance.pick(isRussian ? [' (Иван)', ' секретарь', ' - дом'] : [' (John)', ' home', ' - work']);
  return written;
}

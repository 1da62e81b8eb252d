import ipaddr from 'ipaddr.js';

/** Every special-purpose block of the IANA registries, at its edges, and what clouds put there. */
export const denied = [
  '0.0.0.0',
  '0.255.255.255',
  '10.0.0.0',
  '10.255.255.255',
  '100.64.0.1',
  '100.100.100.200',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.0.192',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.0.1',
  '192.168.255.255',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.250',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::7f00:1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b:1::7f00:1',
  '100::1',
  '2001::1',
  '2001:2::1',
  '2001:10::1',
  '2001:20::1',
  '2001:db8::1',
  '2002:7f00:1::1',
  '3fff::1',
  '4000::1',
  '5f00::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fec0::1',
  'ff02::1',
];
export const allowed = [
  '1.1.1.1',
  '8.8.8.8',
  '172.15.255.255',
  '172.32.0.1',
  '2606:4700:4700::1111',
  '2a00:1450:4001::1',
];

const isV6 = (address: string): boolean => address.includes(':');
export const host = (address: string): string => (isV6(address) ? `[${address}]` : address);

/** One address in the notations that URL parsers and resolvers have taken for addresses. */
export function notations(address: string): string[] {
  if (isV6(address)) {
    const { parts } = ipaddr.IPv6.parse(address);
    const hex = parts.map((part) => part.toString(16));
    const padded = hex.map((part) => part.padStart(4, '0'));
    const dotted = parts.slice(6).flatMap((part) => [part >> 8, part & 0xff]);
    return [
      address,
      ipaddr.IPv6.parse(address).toRFC5952String(),
      ipaddr.IPv6.parse(address).toRFC5952String().toUpperCase(),
      hex.join(':'),
      padded.join(':'),
      padded.join(':').toUpperCase(),
      `${hex.slice(0, 6).join(':')}:${dotted.join('.')}`,
      `${padded.slice(0, 6).join(':').toUpperCase()}:${dotted.join('.')}`,
    ].map((text) => `[${text}]`);
  }
  const [a, b, c, d] = address.split('.').map(Number) as [number, number, number, number];
  const number = ((a << 24) >>> 0) + (b << 16) + (c << 8) + d;
  return [
    address,
    `${address}.`,
    String(number),
    `0x${number.toString(16)}`,
    `0${number.toString(8)}`,
    [a, b, c, d].map((part) => `0x${part.toString(16)}`).join('.'),
    [a, b, c, d].map((part) => `0${part.toString(8)}`).join('.'),
    `${a}.${(b << 16) + (c << 8) + d}`,
    `${a}.${b}.${(c << 8) + d}`,
    [a, b, c, d].map((part) => `%3${String(part)[0]}${String(part).slice(1)}`).join('.'),
    address.replaceAll('.', '\u3002'),
    [...address].map((char) => (char === '.' ? char : String.fromCodePoint(0xff10 + Number(char)))).join(''),
    `[::ffff:${address}]`,
    `[::ffff:${((a << 8) + b).toString(16)}:${((c << 8) + d).toString(16)}]`,
  ];
}

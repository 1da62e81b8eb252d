import ipaddr from 'ipaddr.js';
import { z } from 'zod';

/** Networks from which a door takes requests. */
export const doorSourcesSchema = z
  .array(
    z
      .string()
      .max(50)
      .refine((text) => readRange(text) !== null, { error: 'must be a network such as 203.0.113.0/24, or an address' }),
  )
  .max(50)
  .meta({ description: 'Networks from which the CRM sends its requests. Empty: they may come from everywhere.' });

/** @param address of who sent it, after the proxies that are trusted */
export function isSource(sources: readonly string[], address: string | undefined): boolean {
  if (sources.length === 0) return true;
  if (address === undefined || !ipaddr.isValid(address)) return false;
  const given = ipaddr.process(address);
  return sources.some((text) => {
    const range = readRange(text);
    if (range === null || range[0].kind() !== given.kind()) return false;
    return given.match(range as [ipaddr.IPv4 & ipaddr.IPv6, number]);
  });
}

/** The short and octal forms of IPv4 are read differently by everybody. */
const fourParts = /^\d{1,3}(\.\d{1,3}){3}(\/\d{1,2})?$/;

function readRange(text: string): readonly [ipaddr.IPv4 | ipaddr.IPv6, number] | null {
  if (!text.includes(':') && !fourParts.test(text)) return null;
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  if (!ipaddr.isValid(text)) return null;
  const address = ipaddr.process(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

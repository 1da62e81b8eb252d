import ipaddr from 'ipaddr.js';
import { SettingsError } from '../config/config.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = readonly [Address, number];

/** What a checked target may connect to. Names are resolved later, so their addresses are judged then. */
type Reach = 'anything' | 'allowed-ranges' | 'public-or-allowed-ranges';

/** A URL whose scheme, port and literal address are allowed. */
export type Target = { readonly url: URL; readonly reach: Reach };

export type TargetVerdict =
  { readonly kind: 'allowed'; readonly target: Target } | { readonly kind: 'refused'; readonly reason: string };

/** The only part of IPv6 that is handed out for the public internet. */
const publicIpv6: Range = [ipaddr.parse('2000::'), 3];

/**
 * Where outgoing requests may go: https on port 443 of public addresses, and what `EGRESS_ALLOW` names beside that.
 * A CIDR opens addresses, on any port and over http; `host:port` opens that one target, wherever it resolves to.
 */
export class EgressRules {
  readonly #ranges: readonly Range[];
  readonly #targets: ReadonlySet<string>;

  /** @throws {SettingsError} naming the entries that are neither a CIDR, an address nor host:port. */
  constructor(allow: readonly string[]) {
    const ranges: Range[] = [];
    const targets = new Set<string>();
    const wrong: string[] = [];
    for (const entry of allow) {
      const range = parseRange(entry);
      const target = range ? undefined : parseHostPort(entry);
      if (range) ranges.push(range);
      else if (target !== undefined) targets.add(target);
      else wrong.push(entry);
    }
    if (wrong.length > 0) {
      const problem = `is neither a CIDR such as 10.0.0.0/8 nor host:port: ${wrong.join(', ')}`;
      throw new SettingsError([{ variable: 'EGRESS_ALLOW', problem }]);
    }
    this.#ranges = ranges;
    this.#targets = targets;
  }

  /** Judges a URL as written. The WHATWG parser turns every notation of an IPv4 address into the one with dots. */
  check(text: string): TargetVerdict {
    if (!URL.canParse(text)) return refused('It is not a URL.');
    const url = new URL(text);
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return refused('It must start with https://.');
    if (url.username !== '' || url.password !== '') return refused('It may not carry a user name or a password.');
    if (this.#targets.has(hostPort(url))) return { kind: 'allowed', target: { url, reach: 'anything' } };

    const ordinary = url.protocol === 'https:' && url.port === '';
    const address = literalAddress(url.hostname);
    if (address !== null) {
      if (this.#inAllowedRange(address)) return { kind: 'allowed', target: { url, reach: 'allowed-ranges' } };
      if (!isPublic(address)) return refused('Its address is not a public one.');
    } else if (isLocalName(url.hostname)) {
      return refused('Its address is not a public one.');
    } else if (!ordinary && this.#ranges.length > 0) {
      // Only its addresses can tell whether an allowed range is meant; they are looked at when it is sent to.
      return { kind: 'allowed', target: { url, reach: 'allowed-ranges' } };
    }
    if (url.protocol !== 'https:') return refused('It must start with https://.');
    if (!ordinary) return refused('It must use port 443.');
    return { kind: 'allowed', target: { url, reach: 'public-or-allowed-ranges' } };
  }

  /** Judges an address that a target's name resolved to, or its literal one. */
  permits(target: Pick<Target, 'reach'>, address: string): boolean {
    if (target.reach === 'anything') return true;
    if (!ipaddr.isValid(address)) return false;
    const parsed = ipaddr.process(address);
    if (this.#inAllowedRange(parsed)) return true;
    return target.reach === 'public-or-allowed-ranges' && isPublic(parsed);
  }

  #inAllowedRange(address: Address): boolean {
    return this.#ranges.some((range) => inRange(address, range));
  }
}

function refused(reason: string): TargetVerdict {
  return { kind: 'refused', reason };
}

function isPublic(address: Address): boolean {
  return address.range() === 'unicast' && (address.kind() === 'ipv4' || inRange(address, publicIpv6));
}

function inRange(address: Address, [network, bits]: Range): boolean {
  if (address instanceof ipaddr.IPv4) return network instanceof ipaddr.IPv4 && address.match(network, bits);
  return network instanceof ipaddr.IPv6 && address.match(network, bits);
}

/** `null` for a name. A mapped IPv4 address (`::ffff:10.0.0.1`) is judged as the IPv4 address it is. */
function literalAddress(hostname: string): Address | null {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(bare) ? ipaddr.process(bare) : null;
}

/** RFC 6761: resolvers may answer these with loopback addresses without asking anybody. */
function isLocalName(hostname: string): boolean {
  return /(^|\.)localhost\.?$/i.test(hostname);
}

function hostPort(url: URL): string {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return `${url.hostname.replace(/\.$/, '')}:${port}`;
}

function parseRange(entry: string): Range | undefined {
  try {
    const [address, bits] = ipaddr.parseCIDR(entry);
    return [address, bits];
  } catch {
    if (!ipaddr.isValid(entry)) return undefined;
    const address = ipaddr.process(entry);
    return [address, address.kind() === 'ipv4' ? 32 : 128];
  }
}

function parseHostPort(entry: string): string | undefined {
  // By the same parser as the URLs it is compared with.
  if (!/:\d{1,5}$/.test(entry) || !URL.canParse(`http://${entry}/`)) return undefined;
  const url = new URL(`http://${entry}/`);
  return url.pathname === '/' && url.username === '' ? hostPort(url) : undefined;
}

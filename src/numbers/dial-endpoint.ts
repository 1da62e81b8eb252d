// The only place that builds what Asterisk is asked to call. ARI takes any string as `endpoint`, Local/anything@anycontext
// and Local/${SHELL(id)}@context included, and answers 200; `&` would ring a second device, `,` and `/n` carry options.
// So no text from outside is passed on: every part must match a pattern in full, or nothing is built.

declare const brand: unique symbol;
/**
 * `PJSIP/<endpoint>`, `PJSIP/<endpoint>/<contact uri>`, `PJSIP/<number>@<endpoint>` or a wire (`Local/...`), made in this file
 * only.
 */
export type DialEndpoint = string & { readonly [brand]: 'DialEndpoint' };

/** A part that may not reach the switch. Names the part, never its text. */
export class UnsafeDialPart extends Error {
  constructor(readonly part: 'endpoint' | 'contact' | 'number' | 'extension' | 'context') {
    super(`The ${part} has characters that may not reach the switch.`);
    this.name = 'UnsafeDialPart';
  }
}

/** Name of a PJSIP endpoint: agents' phones and trunks. */
export const endpointNamePattern = /^[A-Za-z0-9_.-]{1,64}$/;
// + digits * #: an E.164 number of at most 15 digits, an international prefix and the trunk's prefix of at most 8.
const trunkNumberPattern = /^[0-9*#+]{3,32}$/;
/** What a key pad has. Letters would reach an extension such as `s` or `h`, which nobody dials. */
export const extensionPattern = /^[0-9*#]{1,20}$/;
/** Name of a context of the dial plan. */
export const contextPattern = /^[A-Za-z0-9_-]{1,79}$/;
const maxContactChars = 255;
// sip(s):[user@]host[:port][;param[=value]]... without `?headers` (sip:x@y?Replaces=... steals calls), quotes or `/`.
// IPv6 hosts and IPv6 in Asterisk's x-ast-orig-host come in brackets.
const contactPattern =
  /^sips?:(?:(?:[A-Za-z0-9_.+*~-]|%[0-9A-Fa-f]{2}){1,128}@)?(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?(?:;[A-Za-z0-9_.+~-]{1,64}(?:=[A-Za-z0-9_.+~:[\]-]{1,200})?)*$/;
// What a user part may hide behind %: the rest of e-mail-like and dialled user names, never a control or dial character.
const harmlessWhenDecoded = /^[A-Za-z0-9@#:=+ _.-]$/;

/** An endpoint as a whole: Asterisk takes one of its contacts. To ring all, name each. @throws UnsafeDialPart */
export function deviceEndpoint(endpoint: string): DialEndpoint {
  return `PJSIP/${safeEndpointName(endpoint)}` as DialEndpoint;
}

/** One registered phone, by the contact that the switch itself reported. @throws UnsafeDialPart */
export function contactEndpoint(endpoint: string, contactUri: string): DialEndpoint {
  return `PJSIP/${safeEndpointName(endpoint)}/${safeContactUri(contactUri)}` as DialEndpoint;
}

/** A number, as formatForTrunk wrote it, through a trunk. @throws UnsafeDialPart */
export function trunkEndpoint(number: string, endpoint: string): DialEndpoint {
  if (!trunkNumberPattern.test(number)) throw new UnsafeDialPart('number');
  return `PJSIP/${number}@${safeEndpointName(endpoint)}` as DialEndpoint;
}

/** A wire to somebody whom a call of the dial plan has; the shipped `[ringline-take]` fetches him. Its own part is constant. */
export const takingEndpoint = 'Local/s@ringline-take/n' as DialEndpoint;

/**
 * A wire to an extension of the PBX's own dial plan. `/n`: it stays, as the leg of ours that it is, when somebody answers there.
 * @throws UnsafeDialPart
 */
export function extensionEndpoint(extension: string, context: string): DialEndpoint {
  if (!extensionPattern.test(extension)) throw new UnsafeDialPart('extension');
  if (!contextPattern.test(context)) throw new UnsafeDialPart('context');
  return `Local/${extension}@${context}/n` as DialEndpoint;
}

/** True for a wire, which has two ends. */
export function isWire(endpoint: DialEndpoint): boolean {
  return endpoint.startsWith('Local/');
}

/** What Asterisk calls a leg of a phone or a trunk: it may be fetched by that name. */
export function isPartyName(name: string): boolean {
  return /^PJSIP\/[A-Za-z0-9_.-]{1,64}-[0-9a-f]{8}$/.test(name);
}

function safeEndpointName(endpoint: string): string {
  if (!endpointNamePattern.test(endpoint)) throw new UnsafeDialPart('endpoint');
  return endpoint;
}

/** True for an address that may be dialled: a phone can register under anything. */
export function isSafeContact(uri: string): boolean {
  return (
    uri.length <= maxContactChars &&
    contactPattern.test(uri) &&
    [...uri.matchAll(/%([0-9A-Fa-f]{2})/g)].every(([, hex]) =>
      harmlessWhenDecoded.test(String.fromCharCode(Number.parseInt(hex ?? '', 16))),
    )
  );
}

function safeContactUri(uri: string): string {
  if (!isSafeContact(uri)) throw new UnsafeDialPart('contact');
  return uri;
}

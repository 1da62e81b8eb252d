export type PartyGuess = {
  readonly kind: 'phone' | 'trunk';
  /** What speaks for it. `nothing`: nothing speaks against a phone. */
  readonly by: 'name' | 'context' | 'number' | 'nothing';
};

/**
 * What an endpoint is of which no line and no agent says it: by what administrators mostly call things. Only a guess; a line's
 * `outbound.endpoint` and an agent's device are evidence. `i1` is what Asterisk calls a span of ISDN.
 * @param context Where the calls that it makes come into the dial plan; null where it made none.
 * @param callerNumber The number it shows.
 */
export function guessParty(endpoint: string, context: string | null, callerNumber: string): PartyGuess {
  if (/trunk|provider|carrier|gateway|pstn|outside|upstream|^i\d+$/i.test(endpoint))
    return { kind: 'trunk', by: 'name' };
  if (/^\d{2,6}$/.test(endpoint)) return { kind: 'phone', by: 'name' };
  if (context !== null && /trunk|pstn|incoming|inbound|outside|provider/i.test(context))
    return { kind: 'trunk', by: 'context' };
  return /^\+?\d{7,}$/.test(callerNumber) ? { kind: 'trunk', by: 'number' } : { kind: 'phone', by: 'nothing' };
}

import { contactEndpoint, deviceEndpoint, type DialEndpoint } from '../../numbers/dial-endpoint.js';
import { isOver, type CallState, type LegState } from '../domain/call-state.js';
import type { Fact } from '../domain/fact.js';
import type { AgentPhone } from '../domain/plan.js';

/** Prefix of everything Ringline makes in a switch. What carries it and belongs to no live call is swept away. */
export const OUR_PREFIX = 'rl-';

/** Where the parties of a call meet. */
export function roomOf(callId: string): string {
  return `${OUR_PREFIX}${callId}`;
}

/** A phone that is rung: at first, or for the transfer of that place. */
export type RungPhone = {
  readonly transfer: number | null;
  /** Its place among those that are rung with it. */
  readonly phone: number;
  readonly agentId: string;
  readonly endpoint: string;
};

/** Id of the leg that rings one registered address of a phone. */
function phoneLegId(callId: string, { transfer, phone }: RungPhone, contact: number): string {
  return `${OUR_PREFIX}${callId}-${transfer === null ? '' : `t${transfer}`}a${phone}c${contact}`;
}

/** True for a leg that rings an agent's phone. */
export function isPhoneLegId(id: string): boolean {
  return /^rl-[0-9a-f-]{36}-(?:t\d+)?a\d+c\d+$/.test(id);
}

/** Id of the leg that calls an outside number to which the call is to go. */
export function transferNumberLegId(callId: string, transfer: number): string {
  return `${OUR_PREFIX}${callId}-t${transfer}n`;
}

export function remoteLegId(callId: string): string {
  return `${OUR_PREFIX}${callId}-r`;
}

/** The call in an id that Ringline made, or null. */
export function callOfOurId(id: string): string | null {
  return /^rl-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:-|$)/.exec(id)?.[1] ?? null;
}

export function agentLegs(state: CallState): readonly LegState[] {
  return state.legs.filter(({ side }) => side === 'agent');
}

/**
 * The legs that ring one phone: one for each address at which it is registered. How many there are is not known at first:
 * the first leg names none, and rings the first of them.
 */
export function plannedLegs(callId: string, rung: RungPhone, contacts: readonly string[], at: number): Fact[] {
  const { agentId, endpoint, transfer } = rung;
  return contacts.map((contact, i) => ({
    leg: phoneLegId(callId, rung, i),
    kind: 'planned',
    key: '',
    at,
    source: 'ringline',
    data: {
      side: 'agent',
      agentId,
      device: `PJSIP/${endpoint}`,
      contact: i === 0 ? null : contact,
      ...(transfer !== null && { transfer }),
    },
  }));
}

/** The legs that ring each phone's first address. */
export function firstLegs(
  callId: string,
  phones: readonly AgentPhone[],
  at: number,
  transfer: number | null = null,
  rings: (agentId: string) => boolean = () => true,
): Fact[] {
  return phones.flatMap(({ agentId, endpoint }, phone) =>
    rings(agentId) ? plannedLegs(callId, { transfer, phone, agentId, endpoint }, [''], at) : [],
  );
}

/** Whose phone a leg rang, by what the switch called it; nothing for none of these phones. */
export function rungByLog(
  phones: readonly AgentPhone[],
  { leg, at, data: { name } }: Extract<Fact, { kind: 'created' }>,
): Fact[] {
  const phone = phones.find(({ endpoint }) => name?.startsWith(`${deviceEndpoint(endpoint)}-`) === true);
  if (phone === undefined) return [];
  const data = {
    side: 'agent',
    agentId: phone.agentId,
    device: deviceEndpoint(phone.endpoint),
    contact: null,
  } as const;
  return [{ leg, kind: 'planned', key: '', at, source: 'ringline', data }];
}

/** The legs that are rung for a transfer. */
export function transferLegs(state: CallState, transfer: number): readonly LegState[] {
  return state.legs.filter((leg) => leg.transfer === transfer);
}

/** The leg of ours that has the other party: who took the call, or to whom it went last. */
export function holdingLeg(state: CallState): LegState | null {
  const to = state.transfers.findLast(({ done }) => done !== null)?.done?.to;
  return to === undefined ? winningLeg(state) : (state.legs.find(({ id }) => id === to) ?? null);
}

/** The agent's leg that took the call: the first that answered and was not sent away. */
export function winningLeg(state: CallState): LegState | null {
  const answered = agentLegs(state).filter(
    (leg) => leg.answered !== null && leg.released?.why !== 'answered-elsewhere',
  );
  return (
    answered.toSorted((a, b) => (a.answered?.at ?? 0) - (b.answered?.at ?? 0) || (a.id < b.id ? -1 : 1))[0] ?? null
  );
}

/** What the switch dials for a leg of a phone. */
export function agentEndpoint(phone: AgentPhone, leg: LegState): DialEndpoint {
  return leg.contact === null ? deviceEndpoint(phone.endpoint) : contactEndpoint(phone.endpoint, leg.contact);
}

/** The phone a leg rings. */
export function phoneOf(phones: readonly AgentPhone[], leg: LegState): AgentPhone | null {
  return phones.find((phone) => phone.agentId === leg.agentId && leg.device === deviceEndpoint(phone.endpoint)) ?? null;
}

/** Nothing was asked of the switch for it yet. */
export function isOnlyPlanned({ createdAt, dialSentAt, released, refused }: LegState): boolean {
  return [createdAt, dialSentAt, released, refused].every((done) => done === null);
}

export function liveLegs(legs: readonly LegState[]): readonly LegState[] {
  return legs.filter((leg) => !isOver(leg));
}

/** True for a leg that Ringline made. */
export function isOurs({ id }: { readonly id: string }): boolean {
  return id.startsWith(OUR_PREFIX);
}

export function isRemoteLegId(id: string): boolean {
  return id.startsWith(OUR_PREFIX) && id.endsWith('-r');
}

export function isAgentLegId(id: string): boolean {
  return id.startsWith(OUR_PREFIX) && !isRemoteLegId(id);
}

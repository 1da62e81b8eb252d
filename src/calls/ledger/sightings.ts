import { readNumber } from '../../numbers/phone-number.js';
import type { Fact } from '../domain/fact.js';
import { guessParty } from '../domain/party-guess.js';
import type { Known } from '../routing.js';
import type { Owner } from './early-facts.js';
import type { Sighting } from './told.js';

type PartyFact = Extract<Fact, { kind: 'party' }>;
type Party = PartyFact['data'];

/** What an observed leg is, as a fact. */
export function partyFact(leg: string, sighting: Sighting, known: Known, tenantId: string | null): PartyFact {
  const { endpoint } = sighting;
  const ours = known.device !== null && (tenantId === null || known.device.tenantId === tenantId) ? known.device : null;
  const data: Party = {
    kind: endpoint === null ? 'wire' : kindOf(endpoint, sighting, known),
    agentId: ours?.agentId ?? null,
    device: endpoint === null ? null : `PJSIP/${endpoint}`,
  };
  return { leg, kind: 'party', key: '', at: sighting.at, source: 'ringline', data };
}

/** Evidence first. */
function kindOf(endpoint: string, { entered, callerNumber }: Sighting, known: Known): 'phone' | 'trunk' {
  if (known.device !== null) return 'phone';
  if (known.isTrunk || known.line !== null) return 'trunk';
  return guessParty(endpoint, entered?.context ?? null, callerNumber).kind;
}

/** Whose call it is, by what is known of one of its legs. */
export function ownerOf(known: Known): Owner | null {
  const tenantId = known.line?.tenantId ?? known.device?.tenantId ?? known.defaultTenantId;
  const region = tenantId === null ? undefined : known.regions[tenantId];
  return tenantId === null || region === undefined ? null : { tenantId, region };
}

/** Whether a leg makes a conversation of its own: somebody from outside, or one who was dialled. */
export function begins(party: Party, sighting: Sighting): boolean {
  return party.kind === 'trunk' || (party.kind === 'phone' && sighting.entered === null);
}

/** How long ago a call began, and between whom, as the leg with which it began shows it. */
export function observedFact(
  callId: string,
  region: string,
  line: Known['line'],
  entered: Extract<Fact, { kind: 'entered' }>,
): Fact {
  const { dialled, callerNumber, callerName } = entered.data;
  const to = readNumber(dialled, region).number;
  return {
    leg: callId,
    kind: 'observed',
    key: '',
    at: entered.at,
    source: 'ringline',
    data: {
      region,
      line: line === null ? null : { id: line.id, number: line.number, name: line.name },
      from: readNumber(callerNumber, region, callerName).number,
      to: line === null ? to : { ...to, e164: line.number },
    },
  };
}

export function calledFact(leg: string, called: string, region: string, at: number): Fact {
  const { number } = readNumber(called, region);
  return { leg, kind: 'called', key: '', at, source: 'ringline', data: { number } };
}

import { readNumber } from '../../numbers/phone-number.js';
import { betterFact, type Fact, type FactDetail } from '../domain/fact.js';
import { guessParty } from '../domain/party-guess.js';
import type { Known } from '../routing.js';
import type { Called, Owner } from './early-facts.js';
import type { LiveCall } from './live-call.js';
import type { Sighting, Told } from './told.js';

type PartyFact = Extract<Fact, { kind: 'party' }>;
type Party = PartyFact['data'];
export type EnteredFact = Extract<Fact, { kind: 'entered' }>;

/** What an observed leg is, and where it was dialled outside, by which line it left and whose number that is. */
export function partyFacts(told: Told, sighting: Sighting, known: Known, tenantId: string | null): readonly Fact[] {
  const lines = sighting.entered === null ? known.outboundLines : [];
  const leftBy = lines.map(({ tenantId: owner, id, number, name }): Fact => {
    const data = { line: { id, number, name } };
    return { leg: told.leg, kind: 'left-by', key: owner, at: sighting.at, source: 'ringline', data };
  });
  const ringsAgent = known.calledAgents.map(({ tenantId: owner, agentId }): Fact => {
    const data = { agentId, device: `PJSIP/${sighting.called}@${sighting.endpoint}` };
    return { leg: told.leg, kind: 'rings-agent', key: owner, at: sighting.at, source: 'ringline', data };
  });
  return [partyFact(told, sighting, known, tenantId), ...leftBy, ...ringsAgent];
}

/** Whether a fact is nothing of another tenant's. */
export function isOfTenant(fact: Fact, tenantId: string): boolean {
  return (fact.kind !== 'left-by' && fact.kind !== 'rings-agent') || fact.key === tenantId;
}

/** Who saw it first knows best: its dial plan goes on. */
function partyFact(told: Told, sighting: Sighting, known: Known, tenantId: string | null): PartyFact {
  const { endpoint } = sighting;
  const ours = known.device !== null && (tenantId === null || known.device.tenantId === tenantId) ? known.device : null;
  const data: Party = {
    kind: endpoint === null ? 'wire' : kindOf(endpoint, sighting, known),
    agentId: ours?.agentId ?? null,
    device: endpoint === null ? null : `PJSIP/${endpoint}`,
  };
  return { leg: told.leg, kind: 'party', key: '', at: toldAt(told), source: 'ringline', data };
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
  return tenantId === null || region === undefined ? null : { tenantId, region, line: known.line };
}

/** Whether there is a conversation: somebody from outside takes part, or one who was dialled. */
export function isConversation(facts: readonly Fact[], linkedId: string): boolean {
  const isOriginated = facts.some(({ kind, leg }) => kind === 'originated' && leg === linkedId);
  return facts.some(
    ({ kind, leg, data }) =>
      kind === 'party' && (data.kind === 'trunk' || (data.kind === 'phone' && (isOriginated || leg !== linkedId))),
  );
}

/** Between whom a call is, by what the leg with which it began dialled and showed: as good as that was told. */
export function observedFact(callId: string, region: string, line: Known['line'], entered: EnteredFact): Fact {
  const { at, source } = entered;
  return { leg: callId, kind: 'observed', key: '', at, source, data: betweenWhom(region, line, entered) };
}

/** The same of the conversation that a leg began, whatever call it has become part of. */
export function beganFact(region: string, line: Known['line'], entered: EnteredFact): Fact {
  const { leg, at, source } = entered;
  return { leg, kind: 'began', key: '', at, source, data: betweenWhom(region, line, entered) };
}

function betweenWhom(region: string, line: Known['line'], entered: EnteredFact): FactDetail['observed'] {
  const { dialled, callerNumber, callerName } = entered.data;
  const to = readNumber(dialled, region).number;
  return {
    region,
    line: line === null ? null : { id: line.id, number: line.number, name: line.name },
    from: readNumber(callerNumber, region, callerName).number,
    to: line === null ? to : { ...to, e164: line.number },
  };
}

/** The conferences that somebody comes into. */
export function conferencesIn(facts: readonly Fact[]): readonly string[] {
  return facts.flatMap((fact) => (fact.kind === 'joined' && fact.data.in === 'conference' ? [fact.data.room] : []));
}

/** When what is told happened: the earliest of it. */
function toldAt({ facts, sighting }: Told): number {
  return facts.length === 0 ? (sighting?.at ?? Infinity) : Math.min(...facts.map(({ at }) => at));
}

/** The best that was told of what a leg entered the dial plan with. */
export function bestEntered(leg: string, facts: readonly Fact[]): EnteredFact | null {
  return facts
    .filter((fact): fact is EnteredFact => fact.kind === 'entered' && fact.leg === leg)
    .reduce<EnteredFact | null>((best, fact) => (best === null ? fact : (betterFact(best, fact) as EnteredFact)), null);
}

/** Whether it is to be looked up what the leg of a known call is: nobody has told yet, or who tells now saw it earlier. */
export function isBetterSight(told: Told, call: LiveCall): boolean {
  if (call.observed === null) return false;
  const leg = call.observed.legs.find(({ id }) => id === told.leg);
  if (leg?.party == null || (told.sighting?.called != null && leg.called === null)) return true;
  if (told.sighting?.shown != null && leg.leftBy === null) return true;
  // Most frames tell of neither: a long call has many facts to look through.
  if (!told.facts.some(({ kind }) => kind === 'created' || kind === 'entered')) return false;
  const party = call.facts.find((fact) => fact.kind === 'party' && fact.leg === told.leg);
  return party === undefined || toldAt(told) < party.at || enteredAnew(told, call) !== null;
}

/**
 * What a leg of a known call entered the dial plan with, where that is told better than before and the call began with this leg:
 * who first saw the call may have come late, when the dial plan had gone on already. Null else.
 */
export function betterEntered(told: Told, call: LiveCall): EnteredFact | null {
  if (call.observed === null || (told.sighting?.at ?? Infinity) > call.observed.at) return null;
  return enteredAnew(told, call);
}

/** What a leg of a known call entered the dial plan with, where that is told better than before. */
function enteredAnew(told: Told, call: LiveCall): EnteredFact | null {
  const entered = bestEntered(told.leg, told.facts);
  if (entered === null) return null;
  const known = bestEntered(told.leg, call.facts);
  if (known === null) return entered;
  const isSame = JSON.stringify(known.data) === JSON.stringify(entered.data);
  return isSame || betterFact(known, entered) === known ? null : entered;
}

/** Whom the leg of a sighting was made to dial; null for nobody. */
export function calledBy(leg: string, { called, at }: Sighting): Called | null {
  return called === null ? null : { leg, called, at };
}

export function calledFact({ leg, called, at }: Called, region: string): Fact {
  const { number } = readNumber(called, region);
  return { leg, kind: 'called', key: '', at, source: 'ringline', data: { number } };
}

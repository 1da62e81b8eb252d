import { trunkEndpoint } from '../../numbers/dial-endpoint.js';
import type { CallLine } from '../domain/call.js';
import { isOver, type LegState } from '../domain/call-state.js';
import type { Fact } from '../domain/fact.js';
import type { FirstRung, OutsidePhone, Plan } from '../domain/plan.js';
import type { DecisionBuilder } from './decision.js';
import { firstLegs, OUR_PREFIX } from './legs.js';

/** Id of the leg that rings an outside number of an agent. It says whether keys that are pressed there concern us. */
function outsideLegId(callId: string, place: number, { guarded }: OutsidePhone): string {
  return `${OUR_PREFIX}${callId}-${guarded ? 'g' : 'n'}${place}`;
}

/** True for a leg on which whoever answers has to press 1. */
export function isGuardedLegId(id: string): boolean {
  return /^rl-[0-9a-f-]{36}-g\d+$/.test(id);
}

type Rung = Pick<Plan, 'phones' | 'outside'> & { readonly first?: FirstRung };

/** The legs of all that rings at first: each phone's first address, and each outside number; of one agent where he rings alone. */
export function plannedLegsOf(callId: string, plan: Rung, at: number): Fact[] {
  return legsOf(callId, plan, at, (agentId) => plan.first === undefined || plan.first.agentId === agentId);
}

/** The legs of those who ring when one agent has rung alone. */
export function laterLegsOf(callId: string, plan: Rung, at: number): Fact[] {
  return legsOf(callId, plan, at, (agentId) => plan.first !== undefined && plan.first.agentId !== agentId);
}

function legsOf(
  callId: string,
  { phones, outside = [] }: Rung,
  at: number,
  rings: (agentId: string) => boolean,
): Fact[] {
  return [
    ...firstLegs(callId, phones, at, null, rings),
    ...outside.flatMap((phone, place) =>
      rings(phone.agentId) ? [plannedLeg(outsideLegId(callId, place, phone), phone, at, phone.guarded)] : [],
    ),
  ];
}

/**
 * Which outside number a leg rang whose record is lost, by its id; nothing where it rang none of these. The log does not tell
 * which keys were pressed: who came into the room had the call.
 */
export function outsideByLog(
  outside: readonly OutsidePhone[],
  { leg, at }: Pick<Extract<Fact, { kind: 'created' }>, 'leg' | 'at'>,
): Fact[] {
  const place = /-[gn](\d+)$/.exec(leg)?.[1];
  const phone = place === undefined ? undefined : outside[Number(place)];
  return phone === undefined ? [] : [plannedLeg(leg, phone, at, false)];
}

function plannedLeg(leg: string, { agentId, trunk }: OutsidePhone, at: number, guarded: boolean): Fact {
  const device = trunkEndpoint(trunk.number, trunk.endpoint);
  const data = { side: 'agent', agentId, device, contact: null, ...(guarded && { guarded }) } as const;
  return { leg, kind: 'planned', key: '', at, source: 'ringline', data };
}

/**
 * Makes the legs of outside numbers that are not there yet. Rings nobody. They see the line's number, as carriers let nobody
 * show a stranger's, and whoever is joined with them sees it too.
 * @param leaseSeconds Until its person has the call, a guarded leg has only a lease for its ring and for the question.
 */
export function createOutsideLegs(
  decision: DecisionBuilder,
  call: { readonly callId: string; readonly outside?: readonly OutsidePhone[] | undefined; readonly line: CallLine },
  legs: readonly LegState[],
  leaseSeconds: { readonly guarded: number; readonly open: number },
): void {
  for (const [place, phone] of (call.outside ?? []).entries()) {
    const id = outsideLegId(call.callId, place, phone);
    const leg = legs.find((candidate) => candidate.id === id);
    if (leg === undefined || isOver(leg) || leg.createdAt !== null || leg.released !== null) continue;
    const { number } = call.line;
    decision.chain({
      key: `create:${id}`,
      do: 'create-leg',
      leg: {
        leg: id,
        endpoint: trunkEndpoint(phone.trunk.number, phone.trunk.endpoint),
        display: { shownNumber: number, shownName: null, ownNumber: number, autoAnswer: 'none' },
        party: 'outside',
        leaseSeconds: phone.guarded ? leaseSeconds.guarded : leaseSeconds.open,
      },
    });
  }
}

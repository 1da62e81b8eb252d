import { trunkEndpoint } from '../../numbers/dial-endpoint.js';
import type { LegState } from '../domain/call-state.js';
import type { Fact } from '../domain/fact.js';
import type { ClickToCall } from '../domain/plan.js';
import type { DecisionBuilder } from './decision.js';
import { remoteLegId } from './legs.js';

/** The leg of the party whom a click calls. */
export function plannedRemote(
  callId: string,
  { trunk }: ClickToCall,
): Omit<Extract<Fact, { kind: 'planned' }>, 'at' | 'source'> {
  return {
    leg: remoteLegId(callId),
    kind: 'planned',
    key: '',
    data: { side: 'remote', agentId: null, device: trunkEndpoint(trunk.number, trunk.endpoint), contact: null },
  };
}

/** Makes it. Rings nobody. */
export function createRemoteLeg(
  decision: DecisionBuilder,
  { trunk, line, to }: ClickToCall,
  remote: LegState,
  leaseSeconds: number,
): void {
  decision.chain({
    key: `create:${remote.id}`,
    do: 'create-leg',
    leg: {
      leg: remote.id,
      endpoint: trunkEndpoint(trunk.number, trunk.endpoint),
      display: { shownNumber: line.number, shownName: null, ownNumber: to.e164 ?? to.raw, autoAnswer: 'none' },
      party: 'outside',
      leaseSeconds,
    },
  });
}

import { foundCompany, type Company, type CompanyOptions } from '../lab/company.js';
import { foundObservedCompany } from '../lab/observed-company.js';
import type { LabRingline } from '../lab/ringline.js';
import type { Lab } from '../lab/start-lab.js';

/** Which calls a run places: those that Ringline drives, those with its observer on, or those of an ordinary dial plan. */
export type Kind = 'driven' | 'driven-and-observed' | 'observed';

/** Who can be called, and by which number. */
export type Targets = { readonly phones: readonly string[]; readonly dids: readonly string[] };

export type Scene = Targets & { readonly call: Company['call']; readonly agentIds: readonly string[] };

const AGENTS = 10;
const agents = Array.from({ length: AGENTS }, (_, i) => i + 1);
const didOf = (n: number): string => `49309018${20 + n}`;

/** A line for each of ten agents of the lab's Asterisk. */
export const drivenTargets: Targets = { phones: agents.map((n) => `agent${n}`), dids: agents.map(didOf) };

/** Sets up whom the calls go to, and waits until Ringline follows their PBX. */
export function setScene(lab: Lab, ringline: LabRingline, kind: Kind): Promise<Scene> {
  return kind === 'observed'
    ? observed(lab, ringline)
    : setDrivenScene(lab, ringline, { observe: kind === 'driven-and-observed' });
}

export async function setDrivenScene(
  lab: Lab,
  ringline: LabRingline,
  node: Pick<CompanyOptions, 'observe' | 'nodeName'>,
): Promise<Scene> {
  const company = await foundCompany(lab, ringline, { agents, number: `+${didOf(100)}`, ...node });
  for (const n of agents) {
    await company.call('POST', '/v1/lines', {
      body: {
        pbxNodeId: company.nodeId,
        number: `+${didOf(n)}`,
        name: `Line ${n}`,
        target: { agentIds: [company.agentIds[n - 1]] },
        outbound: null,
      },
    });
  }
  return { ...drivenTargets, call: (...request) => company.call(...request), agentIds: company.agentIds };
}

/** The lab's ordinary PBX: each of ten phones has a number of its own. */
async function observed(lab: Lab, ringline: LabRingline): Promise<Scene> {
  const company = await foundObservedCompany(lab, ringline);
  const phones = agents.map((n) => String(1000 + n));
  return {
    phones,
    dids: phones.map((phone) => `+4930231250${phone.slice(2)}`),
    call: (method, path, { body } = {}) => company.call(method, path, body),
    agentIds: phones.map((phone) => company.agentOf(phone)),
  };
}

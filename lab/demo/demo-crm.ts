import { crmAdapters } from '../../src/crm/adapters/crm-adapters.js';
import type { Company } from '../company.js';
import type { CrmSimulator } from '../crm/crm-simulator.js';
import { crmSimulators } from '../crm/simulators.js';
import type { LabRingline } from '../ringline.js';

/** As it stands in the links that a CRM gets; some take them on https alone. What stands behind it is asked directly. */
export const PUBLIC_URL = 'https://ringline.example';

/** A CRM that is simulated, and the company's connection to it. */
export interface DemoCrm {
  readonly name: string;
  readonly title: string;
  readonly simulator: CrmSimulator;
  readonly hasClick: boolean;
  readonly hasPop: boolean;
  /** Ids of the agents' users, in the order of the agents. */
  readonly userIds: readonly string[];
  /** The customer, whom it knows. */
  readonly contact: { readonly id: string; readonly name: string };
  readonly doorUrl: string;
  /** Where a link that it was given is found in the demo. */
  toRingline(url: string): string;
}

export interface CrmParts {
  readonly ringline: LabRingline;
  readonly company: Company;
  readonly agents: readonly { readonly id: string; readonly name: string }[];
  readonly customer: string;
}

/** Starts the simulator of a CRM in which the customer is known, and connects it by the API. */
export async function connectCrm(
  name: string,
  { ringline, company, agents, customer }: CrmParts,
  ends: Array<() => Promise<void> | void>,
): Promise<DemoCrm> {
  const adapter = crmAdapters.find((one) => one.name === name);
  const start = crmSimulators[name];
  if (adapter === undefined || start === undefined) throw new Error(`there is no CRM ${name}`);
  const simulator = await start(company.number);
  ends.push(() => simulator.stop());
  const userIds = agents.map((agent) => simulator.addUser({ name: agent.name }));
  const owner = { ...(userIds[0] !== undefined && { ownerId: userIds[0] }) };
  const contact = { name: 'Carol Meyer', numbers: [customer], ...owner };
  const { id } = simulator.addContact(contact);
  const map = Object.fromEntries(agents.map((agent, index) => [agent.id, userIds[index]]));
  const made = await company.call('POST', '/v1/crm-connections', {
    body: { adapter: name, name: adapter.title, settings: simulator.settings, rules: { users: { map } } },
  });
  const { doors, pop } = adapter.capabilities(adapter.settings.parse(simulator.settings));
  const toRingline = (url: string): string => url.replace(PUBLIC_URL, ringline.url);
  return {
    name,
    title: adapter.title,
    simulator,
    hasClick: doors.includes('dial'),
    hasPop: pop !== false,
    userIds,
    contact: { id, name: contact.name },
    doorUrl: toRingline(made.body.doorUrl as string),
    toRingline,
  };
}

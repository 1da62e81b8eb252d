import type { CrmCapabilities } from '../../../src/crm/port/crm-adapter.js';
import { newId } from '../../../src/common/ids.js';
import type { CrmLab } from '../../crm/crm-lab.js';
import type { CrmSimulator } from '../../crm/crm-simulator.js';
import type { Chance } from '../../replay/chance.js';
import { failAtRandom, type RandomFaults } from './faults.js';
import { pickKind, planCall, type PlannedAgent, type PlannedCall } from './plan-calls.js';
import { CallPlayer } from './play-calls.js';
import type { CallKind } from './told-call.js';
import type { Vendor } from './vendors.js';

const AGENTS = ['Anna Álvarez', 'Boris Бобров', 'Chloe Smith'];
const LINE = { id: newId(), number: '+442079460000', name: 'Sales' };
/** The share of numbers that the CRM knows. */
const KNOWN = 0.7;
/** After the missed call, s: it is over by then. */
const CALL_BACK_S = 12;

/** One connection with its simulator, which lives in this process: the one that is killed is another. */
export type Site = {
  readonly vendor: Vendor;
  readonly crm: CrmSimulator;
  readonly capabilities: CrmCapabilities;
  readonly tenantId: string;
  readonly connectionId: string;
  readonly agents: readonly PlannedAgent[];
  readonly faults: RandomFaults;
  readonly chance: Chance;
  readonly planned: PlannedCall[];
};

/** A tenant of its own whose agents are users of the CRM, of which requests fail at random from now on. */
export async function openSite(lab: CrmLab, vendor: Vendor, chance: Chance): Promise<Site> {
  const { adapter } = vendor;
  const crm = await vendor.start();
  const { delivery } = lab;
  const tenantId = await delivery.writer.addTenant();
  const settings = { ...crm.settings, ...vendor.settings };
  const capabilities = adapter.capabilities(adapter.settings.parse(settings));
  const agents: PlannedAgent[] = [];
  for (const [place, name] of AGENTS.entries()) {
    const email = `agent${place}@${adapter.name}.example`;
    const userId = crm.addUser({ name, email, extension: String(201 + place) });
    agents.push({ id: await lab.addAgent(tenantId, { name, email }), userId, name });
  }
  const [make] = capabilities.creates;
  const connectionId = await lab.connect(tenantId, adapter, settings, {
    recordings: capabilities.recording === 'link' ? 'link' : 'upload',
    ...(make !== undefined && { unknownCallers: [{ make, direction: make === 'unsorted' ? 'inbound' : 'any' }] }),
    ...(capabilities.tasks && { missedCalls: { task: 'user', userId: agents[0]?.userId ?? null } }),
  });
  const faults = failAtRandom(crm, chance, ({ path }) => path !== vendor.neverLost);
  return { vendor, crm, capabilities, tenantId, connectionId, agents, faults, chance, planned: [] };
}

/** Calls of every kind, until each is told; `withinSeconds` and the vendor's pace bound how long they take to come. */
export async function playCalls(lab: CrmLab, site: Site, calls: number, withinSeconds: number | null): Promise<void> {
  const { vendor, tenantId, agents, crm, chance, planned } = site;
  const spanMs = Math.min(withinSeconds ?? Infinity, (calls * 60) / vendor.callsPerMinute) * 1000;
  const player = new CallPlayer(lab);
  const startedAt = Date.now();
  const callBacks: { readonly at: number; readonly missed: PlannedCall }[] = [];
  let numbers = 0;
  const plan = (kind: CallKind, given: { number: string; contactId: string | null } | null): PlannedCall => {
    const number = given?.number ?? `+4930${String(20_000_000 + numbers++)}`;
    const isKnown = given === null && chance.isBelow(KNOWN);
    const contact = isKnown ? crm.addContact({ name: `Customer ${numbers}`, numbers: [number] }) : null;
    const contactId = given?.contactId ?? contact?.id ?? null;
    const otherCallId = planned.at(-1)?.told.id ?? newId();
    const of = { tenantId, nodeId: lab.delivery.writer.nodeId, line: LINE, agents, contactId, number, otherCallId };
    const made = planCall(kind, { ...of, startedAt: new Date() }, chance);
    planned.push(made);
    return made;
  };
  await player.play((now) => {
    const isOver = planned.length + callBacks.length >= calls;
    if (isOver && callBacks.length === 0) return null;
    const fresh: PlannedCall[] = [];
    while (callBacks[0] !== undefined && callBacks[0].at <= now) {
      const { missed } = callBacks.shift() as (typeof callBacks)[number];
      fresh.push(plan('call-back', missed.told));
    }
    const due = Math.min(calls, ((now - startedAt) / spanMs) * calls);
    while (planned.length + callBacks.length < due) {
      const made = plan(pickKind(chance), null);
      fresh.push(made);
      if (made.told.kind === 'called-back') callBacks.push({ at: now + CALL_BACK_S * 1000, missed: made });
    }
    return fresh;
  });
}

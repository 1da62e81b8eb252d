import { allCalls } from './all-calls.js';
import type { LabRingline, Answer } from './ringline.js';
import type { Lab } from './start-lab.js';
import { storedEvents } from './stored-events.js';
import { waitFor } from './wait-for.js';
import type { Call } from '../src/calls/domain/call.js';

/**
 * A tenant whose calls are made by the dial plan of the lab's ordinary PBX: agents at 1001 to 1010, of whom the first has a mobile
 * phone besides, and a line for her.
 */
export interface ObservedCompany {
  readonly tenantId: string;
  readonly nodeId: string;
  readonly lineId: string;
  agentOf(extension: string): string;
  /** Null for somebody who is no agent. */
  extensionOf(agentId: string | null): string | null;
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Its newest call, as soon as it is as wanted. */
  newest(isSo: (call: Call) => boolean): Promise<Call>;
  /** All its calls, newest first. */
  calls(): Promise<readonly Call[]>;
  /** What was published of a call, in order. */
  eventsOf(callId: string): Promise<readonly string[]>;
}

/** Leads to Anna, at 1001. */
export const OBSERVED_LINE = '+493023125001';
/** Hers, and outside. */
export const ANNAS_MOBILE = '01713920043';
const EXTENSIONS = Array.from({ length: 10 }, (_, i) => String(1001 + i));

/** The log in the form that Ringline reads: on Asterisk 16 the lab's own file is of another kind. */
export function logRead(lab: Lab): string {
  return lab.asterisk.celFile.replace(/Master\.csv$/, 'ringline.csv');
}

/** Sets it up by the API, and waits until Ringline observes the PBX. */
export async function foundObservedCompany(
  lab: Lab,
  ringline: LabRingline,
  { readsCel = false }: { readonly readsCel?: boolean } = {},
): Promise<ObservedCompany> {
  await ringline.ready();
  const send = async (method: string, path: string, body?: unknown, tenantId?: string): Promise<Answer> => {
    const answer = await ringline.call(method, path, { body, ...(tenantId !== undefined && { tenantId }) });
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer;
  };
  const tenantId = (await send('POST', '/v1/tenants', { name: 'Example', region: 'DE' })).body.id as string;
  const { ariUrl, username, password } = lab.asterisk;
  const celFile = readsCel ? logRead(lab) : null;
  const node = { name: 'office', ariUrl, username, password, observe: true, celFile, defaultTenantId: tenantId };
  const nodeId = (await send('POST', '/v1/pbx-nodes', node)).body.id as string;
  const call = (method: string, path: string, body?: unknown): Promise<Answer> => send(method, path, body, tenantId);
  const agents = new Map<string, string>();
  for (const extension of EXTENSIONS) {
    const desk = { kind: 'sip', pbxNodeId: nodeId, endpoint: extension };
    const devices = extension === '1001' ? [desk, { kind: 'number', number: ANNAS_MOBILE }] : [desk];
    agents.set(extension, (await call('POST', '/v1/agents', { name: extension, devices })).body.id as string);
  }
  const line = await call('POST', '/v1/lines', {
    pbxNodeId: nodeId,
    number: OBSERVED_LINE,
    name: 'Anna',
    target: { agentIds: [agents.get('1001')] },
    outbound: { endpoint: 'trunk', format: 'plus-e164' },
  });
  await waitFor(async () => (await lab.asterisk.cli('ari show apps')).includes('ringline-obs-0'), {
    what: 'Ringline to observe the PBX',
    timeoutMs: 60_000,
  });
  const calls = (): Promise<Call[]> => allCalls({ call });
  return {
    tenantId,
    nodeId,
    lineId: line.body.id as string,
    agentOf: (extension) => agents.get(extension) ?? '',
    extensionOf: (agentId) => [...agents].find(([, id]) => id === agentId)?.[0] ?? null,
    call,
    calls,
    newest: (isSo) =>
      waitFor(async () => (await calls()).slice(0, 1).find(isSo) ?? null, { what: 'the record', timeoutMs: 15_000 }),
    eventsOf: async (callId) => (await storedEvents(ringline.databaseUrl, callId)).map(({ type }) => type),
  };
}

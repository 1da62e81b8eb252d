import type { Answer, LabRingline, RequestOptions } from './ringline.js';
import type { Lab } from './start-lab.js';
import { waitFor } from './wait-for.js';

/** A tenant on the lab's Asterisk: a line, and agents whose phones are `agent1`, `agent2` and so on. */
export interface Company {
  readonly tenantId: string;
  readonly nodeId: string;
  readonly lineId: string;
  /** The line's number, E.164. */
  readonly number: string;
  /** What callers dial to reach the line. */
  readonly did: string;
  readonly agentIds: readonly string[];
  /** One request for this tenant. Throws when it is answered with an error, unless `allow` says so. */
  call(method: string, path: string, options?: RequestOptions & { readonly allow?: boolean }): Promise<Answer>;
}

export interface CompanyOptions {
  /** Numbers of the lab's agents, such as [1, 2] for agent1 and agent2. Default: agent1. */
  readonly agents?: readonly number[];
  readonly ringSeconds?: number;
  readonly number?: string;
  /** Where Asterisk is reached; a proxy in front of it, for tests of lost answers. */
  readonly ariUrl?: string;
  readonly trunk?: string | null;
  readonly limits?: Readonly<Record<string, number>>;
  /** Whether the line's calls are recorded; not unless told. */
  readonly recording?: 'on' | 'off';
  readonly autoAnswer?: 'none' | 'call-info' | 'alert-info';
  /** A node that is there already. */
  readonly nodeId?: string;
  /** What a new one is called: "lab" unless told. */
  readonly nodeName?: string;
  /** Ringline reads the lab's channel event log too. */
  readonly readsCel?: boolean;
  /** Whether calls that the dial plan makes by itself are recorded too; not unless told. */
  readonly observe?: boolean;
  /** Who carries out transfers that phones ask for; as the product chooses unless told. */
  readonly phoneTransfers?: 'auto' | 'ringline' | 'pbx';
}

/** Ringline as its API is asked, in whatever process it runs. */
type Asked = Pick<LabRingline, 'ready' | 'call'>;

/** Sets a company up by the API, and waits until Ringline is connected to the lab's Asterisk. */
export async function foundCompany(lab: Lab, ringline: Asked, options: CompanyOptions = {}): Promise<Company> {
  await ringline.ready();
  const number = options.number ?? '+4930901820';
  const tenant = await ask(ringline, 'POST', '/v1/tenants', {
    body: { name: 'Example', region: 'DE', ...(options.limits && { limits: options.limits }) },
  });
  const tenantId = tenant.body.id as string;
  const call: Company['call'] = (method, path, request = {}) =>
    request.allow
      ? ringline.call(method, path, { tenantId, ...request })
      : ask(ringline, method, path, { tenantId, ...request });
  const nodeId = options.nodeId ?? (await addNode(lab, ringline, options));
  const agentIds: string[] = [];
  for (const n of options.agents ?? [1]) {
    const devices = [
      { kind: 'sip', pbxNodeId: nodeId, endpoint: `agent${n}`, autoAnswer: options.autoAnswer ?? 'none' },
    ];
    const agent = await call('POST', '/v1/agents', { body: { name: `Agent ${n}`, devices } });
    agentIds.push(agent.body.id as string);
  }
  const trunk = options.trunk === undefined ? 'trunk' : options.trunk;
  const line = await call('POST', '/v1/lines', {
    body: {
      pbxNodeId: nodeId,
      number,
      name: 'Sales',
      target: { agentIds, ringSeconds: options.ringSeconds ?? 25 },
      outbound: trunk === null ? null : { endpoint: trunk, format: 'plus-e164' },
      recording: { mode: options.recording ?? 'off' },
    },
  });
  await connected(ringline, nodeId);
  return { tenantId, nodeId, lineId: line.body.id as string, number, did: line.body.did as string, agentIds, call };
}

/** Settles once Ringline has a session with the node. */
export async function connected(ringline: Asked, nodeId: string): Promise<void> {
  await waitFor(async () => (await ringline.call('GET', `/v1/pbx-nodes/${nodeId}/health`)).body.status !== 'down', {
    what: 'Ringline to connect to Asterisk',
    timeoutMs: 60_000,
  });
}

async function addNode(lab: Lab, ringline: Asked, options: CompanyOptions): Promise<string> {
  const { username, password, celFile } = lab.asterisk;
  const { ariUrl = lab.asterisk.ariUrl, readsCel = false, observe = false, phoneTransfers = 'auto' } = options;
  const { nodeName: name = 'lab' } = options;
  const node = await ask(ringline, 'POST', '/v1/pbx-nodes', {
    body: { name, ariUrl, username, password, observe, phoneTransfers, celFile: readsCel ? celFile : null },
  });
  return node.body.id as string;
}

async function ask(ringline: Asked, method: string, path: string, request: RequestOptions): Promise<Answer> {
  const answer = await ringline.call(method, path, request);
  if (answer.status >= 400)
    throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer;
}

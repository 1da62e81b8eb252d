import { foundCompany, type Company } from '../company.js';
import { startRingline, type LabRingline } from '../ringline.js';
import type { Lab } from '../start-lab.js';
import { waitFor } from '../wait-for.js';
import { lineTo, type Line } from './line.js';

/** What the blows of a storm fall on. */
export type Field = {
  readonly lab: Lab;
  readonly ringline: LabRingline;
  readonly company: Company;
  readonly line: Line;
  readonly report: (line: string) => void;
};

export type FieldOptions = {
  /** Ringline reads the switch's own log too. */
  readonly readsCel: boolean;
  /** Settings of Ringline besides those that the lab gives. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where Ringline reaches its database, and where its Redis, instead of at the lab's own addresses. */
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
  readonly report: (line: string) => void;
};

/** Ringline with a company of one line, connected to the lab's Asterisk. */
export async function layOut(lab: Lab, { readsCel, report, ...options }: FieldOptions): Promise<Field> {
  const line = await lineTo(lab);
  const ringline = await startRingline(lab, options);
  const company = await foundCompany(lab, ringline, {
    agents: [1],
    ariUrl: line.ariUrl,
    readsCel,
    limits: { concurrentCalls: 1_000, callsPerHour: 100_000 },
  });
  return { lab, ringline, company, line, report };
}

/** Adds a line that rings `agent<n>` alone. Gives what callers dial. */
export async function addLine({ company }: Field, n: number): Promise<string> {
  const agent = await company.call('POST', '/v1/agents', {
    body: {
      name: `Agent ${n}`,
      devices: [{ kind: 'sip', pbxNodeId: company.nodeId, endpoint: `agent${n}`, autoAnswer: 'none' }],
    },
  });
  const line = await company.call('POST', '/v1/lines', {
    body: {
      pbxNodeId: company.nodeId,
      number: `+493090182${n}`,
      name: `Line ${n}`,
      target: { agentIds: [agent.body.id] },
      outbound: null,
    },
  });
  return line.body.did as string;
}

/** Whether Ringline has its session with Asterisk. */
export async function isConnected({ ringline, company }: Field): Promise<boolean> {
  const health = await ringline.call('GET', `/v1/pbx-nodes/${company.nodeId}/health`).catch(() => null);
  return health?.status === 200 && health.body.status !== 'down';
}

/** Starts Ringline again, and waits for its session. Gives how long that took, ms. */
export async function startAgain(field: Field): Promise<number> {
  const startedAt = Date.now();
  await field.ringline.start();
  await waitFor(() => isConnected(field), { what: 'Ringline to be connected again', timeoutMs: 60_000 });
  return Date.now() - startedAt;
}

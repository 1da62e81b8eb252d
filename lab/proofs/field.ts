import { foundCompany, type Company } from '../company.js';
import type { FaultProxy } from '../fault-proxy.js';
import { startRingline, type LabRingline } from '../ringline.js';
import type { Lab } from '../start-lab.js';
import { waitFor } from '../wait-for.js';
import { lineTo, type Line } from './line.js';
import { startWebhookCounter, type WebhookCounter } from './webhook-counter.js';

/** What Ringline is joined to, each by a proxy that sees what passes. */
export type Wires = Readonly<Record<'ari' | 'postgres' | 'redis' | 'webhooks', FaultProxy>>;

/** What the blows of a storm fall on. */
export type Field = {
  readonly lab: Lab;
  readonly ringline: LabRingline;
  readonly company: Company;
  readonly line: Line;
  /** Only where moments on them are waited for. */
  readonly wires: Wires | null;
  readonly receiver: WebhookCounter;
  readonly report: (line: string) => void;
};

export type FieldOptions = {
  /** Ringline reads the switch's own log too. */
  readonly readsCel: boolean;
  /** Whether all that Ringline is joined to is reached by proxies. */
  readonly isWired: boolean;
  readonly report: (line: string) => void;
};

/** Ringline with a company of one line and one webhook endpoint, connected to the lab's Asterisk. */
export async function layOut(lab: Lab, { readsCel, isWired, report }: FieldOptions): Promise<Field> {
  const receiver = await startWebhookCounter(lab);
  const database = await lab.postgres.createDatabase();
  const wires = isWired ? await wire(lab, database, receiver.url) : null;
  const line = await lineTo(lab);
  const ringline = await startRingline(lab, {
    databaseUrl: wires?.postgres.url ?? database,
    redisUrl: wires?.redis.url ?? lab.redis.url,
  });
  const company = await foundCompany(lab, ringline, {
    agents: [1],
    ariUrl: wires?.ari.url ?? line.ariUrl,
    readsCel,
    limits: { concurrentCalls: 1_000, callsPerHour: 100_000 },
  });
  const url = wires?.webhooks.url ?? receiver.url;
  await company.call('POST', '/v1/webhook-endpoints', { body: { url, description: 'counter' } });
  return { lab, ringline, company, line, wires, receiver, report };
}

async function wire(lab: Lab, database: string, receiver: string): Promise<Wires> {
  return {
    ari: await lab.proxy(lab.asterisk.ariUrl),
    postgres: await lab.proxy(database),
    redis: await lab.proxy(lab.redis.url),
    webhooks: await lab.proxy(receiver),
  };
}

export function wiresOf({ wires }: Field): Wires {
  if (wires === null) throw new Error('the field was laid out without proxies');
  return wires;
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

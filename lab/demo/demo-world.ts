import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { foundCompany, type Company } from '../company.js';
import { startRingline, type LabRingline } from '../ringline.js';
import type { Phone } from '../sipp.js';
import type { Lab } from '../start-lab.js';
import { openAgentScreen, type AgentScreen } from './agent-screen.js';
import { connectCrm, PUBLIC_URL, type DemoCrm } from './demo-crm.js';
import type { Narrator } from './narrator.js';
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.js';

/** Who is called and who calls. The number of a Berlin landline that Ringline's dial rules let through. */
export const CUSTOMER = '+4930111222';

export interface DemoAgent {
  readonly id: string;
  readonly name: string;
  readonly phone: Phone;
  readonly screen: AgentScreen;
}

/** One company on the lab's Asterisk: two agents at their phones and screens, a line, a program that takes webhooks. */
export interface DemoWorld {
  readonly lab: Lab;
  readonly ringline: LabRingline;
  readonly company: Company;
  /** The first answers after a second; the second one is slower and always late. */
  readonly agents: readonly [DemoAgent, DemoAgent];
  /** The outside world behind the trunk: answers every number, and hangs up after a while. */
  readonly carrier: Phone;
  readonly receiver: WebhookReceiver;
  /** A file with a key for the API, readable by this user only. */
  readonly keyFile: string;
  readonly crm: DemoCrm | null;
}

export interface WorldOptions {
  readonly talkMs: number;
  /** The CRM beside it; null: none. */
  readonly crm: string | null;
}

export async function buildWorld(
  lab: Lab,
  narrator: Narrator,
  options: WorldOptions,
  ends: Array<() => Promise<void> | void>,
): Promise<DemoWorld> {
  // Debug: the log then tells when the bytes of a pop were with the socket.
  const ringline = await startRingline(lab, {
    env: { LOG_LEVEL: 'debug', ...(options.crm !== null && { PUBLIC_URL }) },
  });
  ends.unshift(async () => void (await ringline.stop()));
  narrator.step(`Ringline listens on ${ringline.url}`);

  const recording = options.crm === null ? 'off' : 'on';
  const company = await foundCompany(lab, ringline, { agents: [1, 2], recording });
  const receiver = await startWebhookReceiver(await lab.ports.next());
  ends.push(() => receiver.stop());
  const endpoint = await company.call('POST', '/v1/webhook-endpoints', { body: { url: receiver.url } });
  receiver.useSecret(endpoint.body.secret as string);
  narrator.step(`a company with the line ${company.number}, two agents and a webhook endpoint, made by the API`);

  const carrier = await lab.sipp.phone({
    name: 'carrier',
    port: lab.ports.trunk,
    ringMs: 700,
    talkMs: options.talkMs,
    media: 'stream',
  });
  const agent = async (index: 0 | 1, ringMs: number): Promise<DemoAgent> => {
    const id = company.agentIds[index];
    if (id === undefined) throw new Error('the company has fewer agents than the demo needs');
    const user = `agent${index + 1}`;
    const phone = await lab.sipp.phone({ name: user, register: [user], ringMs, media: 'stream' });
    const screen = await openAgentScreen(company, ringline.url, id);
    ends.unshift(() => screen.stop());
    return { id, name: `Agent ${index + 1}`, phone, screen };
  };
  const agents = [await agent(0, 1_000), await agent(1, 4_000)] as const;
  narrator.step('two phones are registered, and each agent has a screen on the stream');
  const parts = { ringline, company, agents, customer: CUSTOMER };
  const crm = options.crm === null ? null : await connectCrm(options.crm, parts, ends);
  if (crm !== null)
    narrator.step(`${crm.title} is simulated, knows ${CUSTOMER} as ${crm.contact.name}, and is connected`);
  return { lab, ringline, company, agents, carrier, receiver, keyFile: await writeKey(lab, ringline, company), crm };
}

async function writeKey(lab: Lab, ringline: LabRingline, company: Company): Promise<string> {
  const scopes = ['config', 'calls:read', 'calls:write', 'webhooks', 'stream:issue'];
  const made = await ringline.call('POST', '/v1/api-keys', {
    body: { name: 'demo', scopes, tenantId: company.tenantId },
  });
  if (made.status !== 201) throw new Error(`the demo's API key was refused with ${made.status}`);
  const file = join(lab.dir, 'api-key');
  await writeFile(file, `${made.body.secret as string}\n`, { mode: 0o600 });
  return file;
}

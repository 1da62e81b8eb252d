import { randomUUID } from 'node:crypto';

import type { Call } from '../../src/calls/domain/call.js';
import {
  checkEvents,
  checkOneRecord,
  checkPackets,
  checkRecord,
  checkTalkTime,
  eventsUpTo,
  followToEnd,
  momentsOfEvents,
  momentsOfPhone,
  reportOf,
  tellMoments,
  type CallReport,
} from './call-report.js';
import { clickInCrm } from './crm-click.js';
import { CUSTOMER, type DemoWorld } from './demo-world.js';
import type { Findings } from './findings.js';
import type { Narrator } from './narrator.js';

/** What an application or a CRM was answered to a click; `callId` is undefined when it was refused. */
export type Clicked = { readonly status: number; readonly callId: string | undefined; readonly body: unknown };

/** Asks Ringline to call the customer for the first agent: by a click in the CRM, where one is there that has such. */
export async function click({ company, agents, crm }: DemoWorld): Promise<Clicked> {
  if (crm?.hasClick === true) return clickInCrm(crm, CUSTOMER);
  const { status, body } = await company.call('POST', '/v1/calls', {
    allow: true,
    headers: { 'idempotency-key': randomUUID() },
    body: { agentId: agents[0].id, to: CUSTOMER },
  });
  return { status, callId: status === 201 ? (body as Call).id : undefined, body };
}

function wayOf({ crm }: DemoWorld): string {
  if (crm === null) return 'POST /v1/calls';
  return crm.hasClick
    ? `in ${crm.title}, which sends its own request to Ringline’s door`
    : `in an application: ${crm.title} has no click of its own; POST /v1/calls`;
}

/** Click-to-call, agent first: placed, followed and compared with what the phones and Asterisk saw. */
export async function showClickToCall(world: DemoWorld, narrator: Narrator, findings: Findings): Promise<CallReport> {
  const [agent] = world.agents;
  narrator.step(`click-to-call: ${agent.name} clicks ${CUSTOMER} (${wayOf(world)})`);
  const clickedAt = Date.now();
  const placed = await click(world);
  if (placed.callId === undefined) {
    throw new Error(`the click-to-call was refused with ${placed.status}: ${JSON.stringify(placed.body)}`);
  }
  const { call, packets } = await followToEnd(world, placed.callId);
  const received = await eventsUpTo(world, call);
  const atAgent = await agent.phone.call(({ byeAt }) => byeAt !== undefined, 'the BYE at the agent’s phone');
  const atCustomer = await world.carrier.call(({ byeAt }) => byeAt !== undefined, 'the BYE at the customer’s phone');
  tellMoments(narrator, [
    world.crm?.hasClick === true
      ? { at: clickedAt, who: 'CRM', what: `the click at Ringline’s door, answered with ${placed.status}` }
      : { at: clickedAt, who: 'API', what: 'POST /v1/calls, answered with 201' },
    ...momentsOfPhone('agent’s phone', atAgent),
    ...momentsOfPhone('customer’s phone', atCustomer),
    ...momentsOfEvents(received),
  ]);

  findings.check(
    atAgent.invites === 1 && atCustomer.invites === 1 && (atAgent.answeredAt ?? Infinity) < atCustomer.inviteAt,
    'The agent’s phone got its INVITE first, and the customer’s only after the agent answered',
    `${Math.round(atCustomer.inviteAt - atAgent.inviteAt)} ms between them`,
  );
  findings.check(
    atCustomer.fromUser === world.company.number,
    'The customer sees the line’s number in From',
    atCustomer.from,
  );
  checkPackets(findings, packets);
  checkTalkTime(findings, call, atCustomer);
  checkEvents(findings, call, received);
  checkRecord(findings, {
    direction: [call.direction, 'outbound'],
    outcome: [call.outcome, 'answered'],
    from: [call.from.e164, world.company.number],
    to: [call.to.e164, CUSTOMER],
    'hung up by': [call.hangup?.by, 'remote'],
    participants: [call.participants.map(({ agentId, role }) => [agentId, role]), [[agent.id, 'answered']]],
    estimated: [call.estimated, false],
  });
  await checkOneRecord(world, findings, call);
  return reportOf('click-to-call', call, received, packets, null);
}

import type { Call } from '../../src/calls/domain/call.js';
import type { Caller } from '../sipp.js';
import { waitFor } from '../wait-for.js';
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
import { CUSTOMER, type DemoAgent, type DemoWorld } from './demo-world.js';
import type { Findings } from './findings.js';
import type { Narrator } from './narrator.js';
import { popsSentAt } from './pop-log.js';

/** The customer calls the line, and hangs up after `talkMs` of talk. */
export function ring(world: DemoWorld, talkMs: number): Promise<Caller> {
  return world.lab.sipp.caller({
    name: 'customer',
    calls: [{ from: CUSTOMER, to: world.company.did }],
    talkMs,
    media: 'stream',
  });
}

/** An incoming call: both agents see the pop and are rung, the first one takes it. */
export async function showIncomingCall(
  world: DemoWorld,
  narrator: Narrator,
  findings: Findings,
  talkMs: number,
): Promise<CallReport> {
  const { agents, company } = world;
  const [first, second] = agents;
  narrator.step(`incoming call: ${CUSTOMER} calls ${company.number}`);
  const since = new Date().toISOString();
  const caller = await ring(world, talkMs);
  const started = await waitFor(
    async () => {
      const { body } = await company.call('GET', `/v1/calls?direction=inbound&from=${encodeURIComponent(since)}`);
      return (body.items as readonly Call[])[0];
    },
    { what: 'the incoming call to be in the history', timeoutMs: 20_000, everyMs: 100 },
  );
  const { call, packets } = await followToEnd(world, started.id);
  const received = await eventsUpTo(world, call);
  const atCaller = await caller.call(({ byeAt }) => byeAt !== undefined, 'the BYE of the caller');
  const after = Date.parse(since);
  const atFirst = await first.phone.call(({ inviteAt }) => inviteAt >= after, 'the INVITE at the first agent’s phone');
  const atSecond = await second.phone.call(
    ({ inviteAt, cancelAt }) => inviteAt >= after && cancelAt !== undefined,
    'the INVITE and its CANCEL at the second agent’s phone',
  );
  const sentAt = await waitFor(
    async () => {
      const sent = await popsSentAt(world.ringline, call.id);
      return agents.every(({ id }) => sent.has(id)) ? sent : null;
    },
    { what: 'Ringline to log both pops' },
  ).catch(() => popsSentAt(world.ringline, call.id));

  tellMoments(narrator, [
    ...momentsOfPhone('customer’s phone', atCaller),
    ...momentsOfPhone(`${first.name}’s phone`, atFirst),
    ...momentsOfPhone(`${second.name}’s phone`, atSecond),
    ...agents.flatMap((agent) =>
      popsOf(agent, call).map(({ at, caller: who }) => ({
        at,
        who: `${agent.name}’s screen`,
        what: `pop: ${who ?? 'somebody'} calls; acknowledged`,
      })),
    ),
    ...momentsOfEvents(received),
  ]);

  const before = agents.map(({ id }, index) => {
    const sent = sentAt.get(id);
    return sent === undefined ? Number.NaN : ([atFirst, atSecond][index]?.inviteAt ?? Number.NaN) - sent;
  });
  const popBeforeInviteMs = Math.round(Math.min(...before) * 10) / 10;
  findings.check(
    popBeforeInviteMs > 0,
    'Each agent’s pop was with the stream’s socket before the INVITE was at the phone',
    `by ${before.map((ms) => ms.toFixed(1)).join(' and ')} ms`,
  );
  findings.check(
    agents.every((agent) => {
      const pops = popsOf(agent, call);
      return pops.length === 1 && pops[0]?.caller === CUSTOMER && pops[0].ackStatus === 204;
    }),
    'Each screen got exactly one pop with the caller’s number, and its acknowledgement was taken',
  );
  findings.check(
    atFirst.answeredAt !== undefined && atSecond.answeredAt === undefined && atSecond.finalStatus === 487,
    'The first agent to answer has the call, and the other phone stops ringing',
  );
  checkPackets(findings, packets);
  checkTalkTime(findings, call, atCaller);
  checkEvents(findings, call, received);
  checkRecord(findings, {
    direction: [call.direction, 'inbound'],
    outcome: [call.outcome, 'answered'],
    from: [call.from.e164, CUSTOMER],
    line: [call.line?.number, company.number],
    'hung up by': [call.hangup?.by, 'remote'],
    participants: [
      agents.map(({ id }) => call.participants.filter(({ agentId }) => agentId === id).map(({ role }) => role)),
      [['answered'], ['rang']],
    ],
    estimated: [call.estimated, false],
  });
  await checkOneRecord(world, findings, call);
  await caller.done;
  return reportOf('incoming', call, received, packets, Number.isNaN(popBeforeInviteMs) ? null : popBeforeInviteMs);
}

function popsOf({ screen }: DemoAgent, call: Call) {
  return screen.pops.filter(({ callId }) => callId === call.id);
}

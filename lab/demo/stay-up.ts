import { setTimeout as delay } from 'node:timers/promises';

import { click } from './click-to-call.js';
import { tellCrm } from './crm-record.js';
import type { DemoWorld } from './demo-world.js';
import { ring } from './incoming-call.js';
import type { Narrator } from './narrator.js';

const BETWEEN_CALLS_MS = 25_000;
const TALK_MS = 6_000;

/** Where everything is, and a first command that works as it is printed. */
export function tellHowToUse(world: DemoWorld, narrator: Narrator): void {
  const { url, metricsUrl, logFile } = world.ringline;
  const [agent] = world.agents;
  const auth = `-H "Authorization: Bearer $(cat ${world.keyFile})"`;
  narrator.plain(
    [
      '',
      'Ringline is up, and stays up until Ctrl-C.',
      '',
      `  API        ${url}/v1        (reference: ${url}/docs, ${url}/openapi.json)`,
      `  health     ${url}/health/ready`,
      `  metrics    ${metricsUrl}`,
      `  log        ${logFile}`,
      `  API key    in ${world.keyFile}; it dies with the demo`,
      '',
      'Place a call: the agent’s phone rings first, then the customer’s.',
      '',
      `curl -sS ${url}/v1/calls ${auth} \\`,
      `  -H 'Content-Type: application/json' -H "Idempotency-Key: $(date +%s%N)" \\`,
      `  -d '{"agentId": "${agent.id}", "to": "030 111 333"}'`,
      '',
      'Look at the newest record:',
      '',
      `curl -sS '${url}/v1/calls?limit=1' ${auth}`,
      '',
      ...(world.crm === null
        ? []
        : [`Ask what ${world.crm.title} has of a call:`, '', `curl -sS ${url}/v1/calls/CALL_ID/crm ${auth}`, '']),
      'Watch the agent’s stream (pops and calls):',
      '',
      `curl -sSN "${url}/v1/stream?token=$(curl -sS ${url}/v1/stream-tokens ${auth} \\`,
      `  -H 'Content-Type: application/json' -d '{"agentId": "${agent.id}"}' | sed 's/.*"token":"\\([^"]*\\)".*/\\1/')"`,
      '',
    ].join('\n'),
  );
}

/** Calls in and out now and then, told by their webhooks and pops, until `signal` is given. */
export async function placeOccasionalCalls(world: DemoWorld, narrator: Narrator, signal: AbortSignal): Promise<void> {
  world.receiver.onEvent(({ event, signatureValid }) => {
    const { call } = event.data;
    const who = call.direction === 'inbound' ? `from ${call.remote.raw}` : `to ${call.remote.e164 ?? call.remote.raw}`;
    const end = event.type === 'call.ended' ? `: ${call.outcome}, ${call.talkSeconds} s of talk` : '';
    const signature = signatureValid ? '' : ', signature NOT VALID';
    narrator.step(`webhook  ${event.type.padEnd(14)} ${call.direction} ${who}${end}${signature}`);
  });
  if (world.crm !== null) tellCrm(world, world.crm, narrator);
  for (const { name, screen } of world.agents) {
    screen.onPop(({ caller }) => narrator.step(`pop      on ${name}’s screen: ${caller ?? 'somebody'} calls`));
  }
  for (let turn = 0; !signal.aborted; turn += 1) {
    await delay(BETWEEN_CALLS_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    if (turn % 2 === 0) {
      await (
        await ring(world, TALK_MS)
      ).done;
    } else {
      const { status, callId } = await click(world);
      if (status === 409) narrator.step('the agent is on a call: no click this time');
      else if (callId === undefined) narrator.step(`a click was refused with ${status}`);
    }
  }
}

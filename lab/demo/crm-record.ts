import type { Call } from '../../src/calls/domain/call.js';
import type { SimulatedCall } from '../crm/crm-simulator.js';
import { toldCall } from '../crm/told-call.js';
import { PUBLIC_URL, type DemoCrm } from './demo-crm.js';
import type { DemoWorld } from './demo-world.js';
import type { Findings } from './findings.js';
import type { Narrator } from './narrator.js';

/** What the command says of one call in the CRM. */
export interface CrmReport {
  readonly callId: string;
  /** The CRM's own id of the one object that it has of the call. */
  readonly remoteId: string;
  readonly direction: SimulatedCall['direction'];
  readonly number: string | null;
  readonly seconds: number | null;
  readonly ownerId: string | null;
  readonly contactIds: readonly string[];
  readonly recordingBytes: number;
  /** Of the pop on the first screen; null where none is due. */
  readonly popBeforeAnswerMs: number | null;
}

const LENGTH_TOLERANCE_SECONDS = 1;

/** What the CRM has of a call that is over, compared with the record and the phones. */
export async function showInCrm(
  world: DemoWorld,
  crm: DemoCrm,
  narrator: Narrator,
  findings: Findings,
  callId: string,
): Promise<CrmReport> {
  const { simulator, title, userIds, contact } = crm;
  const { call, there } = await toldCall(world.company, simulator, callId);
  const owner = ownerOf(world, crm, there);
  const recordingBytes = await bytesOf(crm, there);
  narrator.step(`what ${title} has of it (${PUBLIC_URL} stands for ${world.ringline.url})`);
  tell(narrator, crm, there, owner, recordingBytes);
  const popBeforeAnswerMs = crm.hasPop && call.direction === 'inbound' ? await popBeforeAnswer(world, crm, call) : null;
  if (popBeforeAnswerMs !== null) {
    findings.check(
      popBeforeAnswerMs > 0,
      `${title} showed the pop before the agent answered`,
      `by ${popBeforeAnswerMs} ms`,
    );
  } else if (call.direction === 'inbound') {
    narrator.detail(`      ${title} has no pop that could be sent by its API: the agents' screens show Ringline's`);
  }
  const ofCall = simulator.calls().filter(({ id, externalId }) => id === there.id || externalId === call.id);
  findings.check(ofCall.length === 1, `${title} has this conversation once`, there.id);
  findings.check(there.ownerId === userIds[0], 'It is assigned to the agent who talked', owner);
  findings.check(there.contactIds.includes(contact.id), 'It is bound to the contact with this number', contact.name);
  findings.check(
    (there.direction ?? call.direction) === call.direction && there.wasAnswered !== false && !there.isOpen,
    'Its direction and outcome are right, and it is closed',
    `${there.direction ?? 'told in words'}, ${there.wasAnswered === false ? 'unanswered' : 'answered'}`,
  );
  const lengths = [call.talkSeconds, call.durationSeconds];
  // SuiteCRM, which is what the description by data is shown with, keeps minutes that have begun.
  if (crm.name === 'json') lengths.push(Math.ceil(call.durationSeconds / 60) * 60);
  findings.check(
    there.seconds !== null && lengths.some((one) => Math.abs(one - (there.seconds ?? 0)) <= LENGTH_TOLERANCE_SECONDS),
    'Its length is that of the talk, or of the whole call, within one second or as the CRM counts minutes',
    `${there.seconds ?? 'none'} s`,
  );
  findings.check(recordingBytes > 0, 'Its recording is there', `${recordingBytes} bytes`);
  const { direction, number, seconds, ownerId, contactIds } = there;
  return {
    callId,
    remoteId: there.id,
    direction,
    number,
    seconds,
    ownerId,
    contactIds,
    recordingBytes,
    popBeforeAnswerMs,
  };
}

/** Of each call that ends from now on, what the CRM has of it, in one line. */
export function tellCrm(world: DemoWorld, crm: DemoCrm, narrator: Narrator): void {
  world.receiver.onEvent(({ event }) => {
    if (event.type !== 'call.ended') return;
    void toldCall(world.company, crm.simulator, event.data.call.id).then(
      ({ there }) => {
        const recording = there.recording === null ? 'no recording' : 'its recording';
        narrator.step(
          `crm      ${crm.title} has it as ${there.id}, for ${ownerOf(world, crm, there)}, with ${recording}`,
        );
      },
      (error: unknown) => narrator.step(`crm      ${String(error)}`),
    );
  });
}

function ownerOf({ agents }: DemoWorld, { userIds }: DemoCrm, { ownerId }: SimulatedCall): string {
  return agents[userIds.indexOf(ownerId ?? '')]?.name ?? 'nobody of the demo';
}

/** A call as a person reads it there. */
function tell(narrator: Narrator, crm: DemoCrm, there: SimulatedCall, owner: string, recordingBytes: number): void {
  const recording = there.recording;
  narrator.detail(`      call ${there.id}, assigned to ${owner}, contact ${crm.contact.name}`);
  for (const line of there.text.split('\n').filter((one) => one.trim() !== '')) narrator.detail(`      | ${line}`);
  if (recording === null) narrator.detail('      no recording');
  else
    narrator.detail(
      `      recording ${'url' in recording ? `${recording.url} (${recordingBytes} bytes)` : 'uploaded'}`,
    );
}

/** Heard by its link as the CRM's users hear it, without logging in; 0 where that gives nothing. */
async function bytesOf(crm: DemoCrm, { recording }: SimulatedCall): Promise<number> {
  if (recording === null) return 0;
  if ('bytes' in recording) return recording.bytes;
  const response = await fetch(crm.toRingline(recording.url));
  return response.ok ? (await response.arrayBuffer()).byteLength : 0;
}

async function popBeforeAnswer(world: DemoWorld, crm: DemoCrm, { sipCallIds }: Call): Promise<number> {
  const [agent] = world.agents;
  const rung = (await agent.phone.calls()).find(({ callId }) => sipCallIds.includes(callId));
  const answeredAt = rung?.answeredAt ?? Number.NaN;
  const pop = crm.simulator
    .pops()
    .find(({ userIds, at }) => userIds.includes(crm.userIds[0] ?? '') && at >= (rung?.inviteAt ?? 0) - 5_000);
  return Math.round(answeredAt - (pop?.at ?? Number.NaN));
}

import type { RecordingsForCrm } from '../../recordings/recordings-for-crm.js';
import type { Purpose } from '../client/purpose.js';
import type { CrmSession } from '../port/crm-adapter.js';
import type { CrmRecording } from '../port/crm-objects.js';
import { done, type Verdict } from '../port/verdict.js';
import type { ContactFinder } from './contact-finder.js';
import type { DoneStep } from './links-after.js';
import type { Situation, Step } from './next-step.js';
import type { SyncedConnection } from './sync-store.js';

export type StepParts = {
  readonly contacts: Pick<ContactFinder, 'find' | 'forget'>;
  readonly recordings: Pick<RecordingsForCrm, 'link' | 'findLink' | 'read'>;
};

/** Has an adapter do a step. @throws what an adapter throws, which is a defect of it */
export async function giveStep(
  step: Step,
  { call, view, links, region, capabilities }: Situation,
  session: CrmSession,
  connection: SyncedConnection,
  { contacts, recordings }: StepParts,
): Promise<Verdict<DoneStep>> {
  const came = <Value>(verdict: Verdict<Value>): Verdict<DoneStep> =>
    verdict.verdict === 'done' ? done({ ...step, value: verdict.value } as DoneStep) : verdict;
  const { remoteId = null } = links;
  switch (step.step) {
    case 'findContacts':
      return came(
        await contacts.find(connection, session, {
          number: view.number,
          region,
          agentId: agentOf(call),
          capabilities,
          isAskedAnew: links.isAskedAnew === true,
        }),
      );
    case 'popScreen':
      return came(await (session.popScreen?.(view, step.userIds, remoteId) ?? undone(step)));
    case 'createObject':
      return came(await (session.createObject?.(step.kind, view) ?? undone(step)));
    case 'findCall':
      return came(await (session.findCall?.(view) ?? undone(step)));
    case 'openCall':
      return came(await (session.openCall?.(view) ?? undone(step)));
    case 'updateCall':
      return came(await (session.updateCall?.(step.remoteId, view) ?? undone(step)));
    case 'closeCall':
      return came(await session.closeCall(step.remoteId, view));
    case 'removeCall':
      return came(await (session.removeCall?.(step.remoteId) ?? undone(step)));
    case 'attachRecording': {
      const recording = await recordingOf(step, call, view.number.digits, connection, recordings);
      if (recording === null) return { verdict: 'rejected', why: 'The recording is missing from Ringline’s storage.' };
      const told = { ...view, recordingUrl: recording.url };
      return came(await (session.attachRecording?.(step.remoteId, told, recording) ?? undone(step)));
    }
    case 'addNote':
      return came(await (session.addNote?.(step.remoteId, view, step.text) ?? undone(step)));
    case 'createTask':
      return came(await (session.createTask?.(view, step.task) ?? undone(step)));
    case 'closeTask':
      return came(await (session.closeTask?.(step.taskId, step.text) ?? undone(step)));
  }
}

/** Whose call it is as far as it has come. */
function agentOf({ participants }: Situation['call']): string | null {
  const agents = participants.filter(({ agentId }) => agentId !== null);
  return (agents.find(({ role }) => role === 'answered') ?? agents[0])?.agentId ?? null;
}

function undone({ step }: Step): never {
  throw new Error(`The adapter declares what needs ${step}, and has no ${step}.`);
}

/** Null when an upload has nothing to upload. */
async function recordingOf(
  { recordingId, by }: Extract<Step, { step: 'attachRecording' }>,
  { recordings: list, startedAt }: Situation['call'],
  digits: string,
  { tenantId, id: connectionId }: SyncedConnection,
  recordings: StepParts['recordings'],
): Promise<CrmRecording | null> {
  const of = { tenantId, recordingId, connectionId };
  const day = startedAt.slice(0, 16).replace(/\D/g, '-');
  const about = {
    id: recordingId,
    fileName: `${day}-${digits === '' ? 'anonymous' : digits}.wav`,
    contentType: 'audio/wav',
    durationSeconds: list.find(({ id }) => id === recordingId)?.durationSeconds ?? 0,
  } as const;
  if (by === 'link') {
    const url = await recordings.link(of);
    const read = (): Promise<never> => Promise.reject(new Error('this recording is given by its link'));
    return { ...about, url, read };
  }
  const bytes = await recordings.read(of);
  return bytes === null ? null : { ...about, url: null, read: () => Promise.resolve(bytes) };
}

/** What a step is for, by which it waits for the vendor's limits. */
export function purposeOf(step: Step, { view }: Situation, isCaughtUp: boolean): Purpose {
  if (isCaughtUp) return 'backfill';
  switch (step.step) {
    case 'popScreen':
      return 'pop';
    case 'findContacts':
    case 'createObject':
      return view.status === 'ringing' ? 'pop' : 'open';
    case 'findCall':
    case 'openCall':
      return 'open';
    case 'updateCall':
      return view.status === 'ended' ? 'close' : 'open';
    case 'closeCall':
    case 'removeCall':
    case 'addNote':
    case 'createTask':
    case 'closeTask':
      return 'close';
    case 'attachRecording':
      return 'recording';
  }
}

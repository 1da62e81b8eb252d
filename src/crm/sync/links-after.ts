import type { NotePlace } from '../port/crm-adapter.js';
import type { ObjectRef } from '../port/crm-objects.js';
import { fingerprint } from './call-view.js';
import { contactOf, type LinkedContact, type Links, type MakingStep } from './links.js';
import { opensByPop, type Situation, type Step } from './next-step.js';

/** What a step gives when it is done. */
export type StepValue = {
  readonly findContacts: readonly LinkedContact[];
  readonly findCall: string | null;
  readonly openCall: string;
  readonly closeCall: string;
  readonly createObject: ObjectRef;
  readonly addNote: NotePlace;
  readonly createTask: string;
};

/** A step that was done, with what it gave. */
export type DoneStep = {
  readonly [Name in Step['step']]: Extract<Step, { step: Name }> & {
    readonly value: Name extends keyof StepValue ? StepValue[Name] : void;
  };
}[Step['step']];

const making: ReadonlySet<string> = new Set<MakingStep>(['openCall', 'createObject', 'createTask', 'addNote']);

/** The name of a step by which the CRM comes to have one more object; null for one that may simply be given again. */
export function makingStep(step: Step, situation: Pick<Situation, 'links' | 'capabilities'>): MakingStep | null {
  if (step.step === 'popScreen') return opensByPop(situation) ? 'openCall' : null;
  if (step.step === 'closeCall') return step.remoteId === null ? 'closeCall' : null;
  return making.has(step.step) ? (step.step as MakingStep) : null;
}

export function withoutBegun(links: Links): Links {
  const { begun: _, ...others } = links;
  return others;
}

/** What the CRM has after a step. */
export function linksAfter(done: DoneStep, { links, view, capabilities }: Situation): Links {
  const after = withoutBegun(links);
  switch (done.step) {
    case 'findContacts':
      return { ...after, contact: chosen(done.value) };
    case 'popScreen':
      return { ...after, popped: [...(links.popped ?? []), ...done.userIds] };
    case 'createObject':
      return { ...after, created: { ...done.value, kind: done.kind } };
    case 'findCall': {
      if (done.value === null) return after;
      // One that takes no change any more was made complete; else it is closed once more.
      const isClosed = links.begun === 'closeCall' && !capabilities.live && !capabilities.updateAfterClose;
      return { ...after, remoteId: done.value, ...(isClosed && { isClosed }) };
    }
    case 'openCall':
      return { ...after, remoteId: done.value, told: fingerprint(view, capabilities) };
    case 'updateCall':
      return { ...after, told: fingerprint(view, capabilities) };
    case 'closeCall':
      return { ...after, remoteId: done.value, isClosed: true, told: fingerprint(view, capabilities) };
    case 'removeCall':
      return { ...after, isRemoved: true };
    case 'attachRecording':
      return { ...after, recordings: [...(links.recordings ?? []), done.recordingId] };
    case 'addNote':
      return { ...after, note: done.text, notePlace: done.value };
    case 'createTask':
      return { ...after, task: { id: done.value, isClosed: false } };
    case 'closeTask':
      return { ...after, task: { id: done.taskId, isClosed: true } };
  }
}

/** What the CRM has when it says that what a step is about is gone; null where that cannot be made good. */
export function linksAfterGone(step: Step, situation: Situation): Links | null {
  const { links } = situation;
  switch (step.step) {
    case 'updateCall':
    case 'closeCall':
    case 'attachRecording':
    case 'addNote': {
      if (links.remoteId === undefined) return withoutContact(links);
      if (links.isRemade === true) return null;
      const {
        remoteId: _,
        isClosed: _c,
        told: _t,
        recordings: _r,
        note: _n,
        notePlace: _p,
        ...others
      } = withoutBegun(links);
      return { ...others, isRemade: true };
    }
    // Somebody has removed it: that is what was wanted, or just as good.
    case 'removeCall':
    case 'closeTask':
      return linksAfter({ ...step, value: undefined }, situation);
    case 'openCall':
    case 'createTask':
      return withoutContact(links);
    case 'findContacts':
    case 'popScreen':
    case 'createObject':
    case 'findCall':
      return null;
  }
}

/** Whom it was bound to may be what is gone: it is asked once more whose number it is. */
function withoutContact(links: Links): Links | null {
  if (links.isAskedAnew === true || contactOf(links) == null) return null;
  const { contact: _, picked: _p, ...others } = withoutBegun(links);
  return { ...others, isAskedAnew: true };
}

function chosen(found: readonly LinkedContact[]): LinkedContact | null {
  const [first] = found;
  if (first === undefined) return null;
  const { type, id, kind, name, ownerId } = first;
  return { type, id, kind, name, ownerId };
}

import type { Links } from './links.js';

/** What of a call a CRM has, for people. */
export function linksInWords(links: Links): readonly string[] {
  const { remoteId, contact, picked, created, popped = [], recordings = [], task } = links;
  const words: (string | false)[] = [
    picked !== undefined && `An agent said that it is ${picked.name} (${picked.type} ${picked.id}).`,
    picked === undefined && contact === null && created === undefined && 'It knows nobody with this number.',
    picked === undefined &&
      contact != null &&
      `It knows the number as ${contact.name} (${contact.type} ${contact.id}).`,
    created !== undefined && `Ringline made a ${created.kind} of the caller (${created.type} ${created.id}).`,
    popped.length > 0 && `A pop was sent to ${popped.length === 1 ? 'user' : 'users'} ${popped.join(', ')}.`,
    remoteId === undefined && links.begun === undefined && 'It does not have the call.',
    remoteId === undefined && links.begun !== undefined && `It may have it: no answer came to ${links.begun}.`,
    remoteId !== undefined && `It has the call as ${remoteId}, ${stateOf(links)}.`,
    links.isRemade === true && 'The call was gone there and was made anew.',
    recordings.length > 0 && `It has ${recordings.length === 1 ? 'its recording' : `${recordings.length} recordings`}.`,
    links.note !== undefined &&
      (links.notePlace === 'no-place'
        ? 'It has no place for the agent’s note, since the call is nobody’s there: the note is in Ringline alone.'
        : 'It has the agent’s note.'),
    task !== undefined && `A task was made, ${task.id}, ${task.isClosed ? 'and is closed' : 'and is open'}.`,
  ];
  return words.filter((one) => one !== false);
}

function stateOf({ isRemoved, isClosed }: Links): string {
  if (isRemoved === true) return 'removed since it became part of another';
  return isClosed === true ? 'complete' : 'still open';
}
